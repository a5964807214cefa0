"""The first captioner for films: the mean of all frames, as if it were a picture."""

from unrolled.models.lrcn_captioner import LRCNCaptioner


class MeanPoolCaptioner(LRCNCaptioner):
    """Describe a film by the mean of its frames, shown to two LSTMs at every word.

        v = mean over l of frame_l
        h1' = LSTM_1([E x; v], h1)      h2' = LSTM_2(h1', h2)      logits = W_o h2' + b_o

    The order of the frames is lost, so it cannot tell what moves where.

    Shapes: x [B, T] int64 words, B = K·N; context PooledMemory(image [N, C]), v; state two
        LSTMState(h [B, D], c [B, D]); y CaptionOutput(logits [B, T, V]).
    Args:
        vocabulary_size: V.
        feature_size: C, the length of a frame's features.
        embedding_size: E, the length of a word's vector.
        hidden_size: D, of both.
    Raises:
        ContextError: no film is bound, or B is not a multiple of its N.
        ShapeError: features have not C channels.
    Source: Venugopalan et al. 2015, arXiv:1412.4729, which gives the network of Donahue et al. the
        mean of a film's frames. Differs: nothing is learnt from pictures first.
    Example:
        >>> import torch
        >>> model = MeanPoolCaptioner(11, 5, embedding_size=3, hidden_size=7)
        >>> film = model.remember(torch.randn(2, 13, 5))
        >>> y, _ = model.given(film)(torch.zeros(6, 4, dtype=torch.int64))
        >>> y.logits.shape
        torch.Size([6, 4, 11])
    """

    films = True

    def __init__(
        self,
        vocabulary_size: int,
        feature_size: int,
        *,
        embedding_size: int = 512,
        hidden_size: int = 512,
    ) -> None:
        super().__init__(
            vocabulary_size,
            feature_size,
            embedding_size=embedding_size,
            hidden_size=hidden_size,
            factored=False,
        )
