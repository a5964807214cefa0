"""Diagnostics: what a module computes, what it looks back on, how its gradients travel."""

from unrolled.diagnostics.balance import (
    Balance,
    bracket_balance,
    environment_balance,
    total_balance,
)
from unrolled.diagnostics.catalogue import catalogue
from unrolled.diagnostics.census import Census, Layer, census, count_parameters
from unrolled.diagnostics.environment import environment
from unrolled.diagnostics.gates import LSTMGates, lstm_gates
from unrolled.diagnostics.gradient_flow import (
    RecurrentMatrix,
    gradient_bound,
    gradient_gains,
    jacobian_norms,
    loss_gradient_norms,
    recurrent_matrices,
)
from unrolled.diagnostics.inspection import Inspection, inspect_recurrence
from unrolled.diagnostics.motion import WAYS, MotionDiagnosis, diagnose_motion
from unrolled.diagnostics.receptive_field import (
    ReceptiveField,
    influence,
    looks_ahead,
    probe_receptive_field,
    receptive_field,
)
from unrolled.diagnostics.specimen import (
    Specimen,
    example_features,
    example_input,
    parse_options,
    specimen,
)

__all__ = [
    "WAYS",
    "Balance",
    "Census",
    "Inspection",
    "LSTMGates",
    "Layer",
    "MotionDiagnosis",
    "ReceptiveField",
    "RecurrentMatrix",
    "Specimen",
    "bracket_balance",
    "catalogue",
    "census",
    "count_parameters",
    "diagnose_motion",
    "environment",
    "environment_balance",
    "example_features",
    "example_input",
    "gradient_bound",
    "gradient_gains",
    "influence",
    "inspect_recurrence",
    "jacobian_norms",
    "looks_ahead",
    "loss_gradient_norms",
    "lstm_gates",
    "parse_options",
    "probe_receptive_field",
    "receptive_field",
    "recurrent_matrices",
    "specimen",
    "total_balance",
]
