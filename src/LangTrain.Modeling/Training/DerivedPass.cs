using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// The pass of a Llama-like model with its gradient derived by hand, layer by layer. Each layer keeps what its way back cannot do without and works out the rest again;
/// what nobody learns from is neither kept nor computed. The residual stream is Float32 whatever the products are computed in.
/// </summary>
/// <remarks>
/// Equal to <see cref="AutogradPass"/> up to rounding, and faster: no graph, fewer passes over memory, gradients added in place. Attention and its gradient are
/// <see cref="TrackedAttention"/>'s where it fits, in Float32; elsewhere (a GPU, capped scores) libtorch's fused kernel attends, and its gradient alone is autograd's.
/// Letters: N = B · T.
/// </remarks>
internal sealed class DerivedPass : TrackedPass
{
    private readonly DecoderStack _stack;
    private readonly PassContext _context;
    private readonly Tensor _ids, _hidden;
    private readonly LayerTape[] _tapes;
    private readonly KeptTensors _kept = new();
    private readonly Tensor _last, _lastScale;

    /// <param name="stack">Embedding, blocks and last norm.</param>
    /// <param name="ids">[B, T].</param>
    /// <param name="context">The pass, without cache; its tensors become the pass's own.</param>
    public DerivedPass(DecoderStack stack, Tensor ids, PassContext context)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        (_stack, _context, _ids) = (stack, context, ids);
        _tapes = [.. stack.Layers.Select(_ => new LayerTape())];
        try
        {
            foreach (Tensor shared in context.Tensors)
            {
                _kept.Keep(shared);
            }

            Tensor x = stack.Embed(ids).flatten(0, 1).to(context.Wide); // [N, C]
            foreach ((DecoderLayer layer, LayerTape tape) in stack.Layers.Zip(_tapes))
            {
                using var layerScope = NewDisposeScope();
                // For TrackAgain, which has to drop what this pass drops.
                tape.GeneratorState = context.Pass.ActivationCheckpointing ? context.Pass.Generator?.get_state() : null;
                x = layer.Track(x, context, tape).MoveToOuterDisposeScope();
                if (context.Pass.ActivationCheckpointing)
                {
                    tape.ForgetAllButInput();
                }
            }

            _last = _kept.Keep(x);
            (Tensor normed, Tensor scale) = stack.TrackNorm(x, context.Dtype);
            _lastScale = _kept.Keep(scale);
            _hidden = _kept.Keep(normed.view(ids.shape[0], ids.shape[1], -1));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override Tensor Hidden => _hidden;

    public override void Backward(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        bool embeddingLearns = _stack.embed_tokens.Weight.requires_grad;
        Tensor dx = _stack.NormBackward(gradient.flatten(0, 1), _last, _lastScale); // [N, C]
        for (int i = _tapes.Length - 1; i >= 0; i--)
        {
            using var layerScope = NewDisposeScope();
            using LayerTape tape = _tapes[i];
            if (_context.Pass.ActivationCheckpointing)
            {
                TrackAgain(_stack.Layers[i], tape);
            }

            if (_stack.Layers[i].Backward(dx, _context, tape, needsInput: i > 0 || embeddingLearns) is { } before)
            {
                dx.Dispose();
                dx = before.MoveToOuterDisposeScope();
            }
        }

        if (embeddingLearns)
        {
            _stack.AddEmbeddingGradient(_ids, dx);
        }
    }

    /// <summary>Fills a tape that kept only its input, with the dropout of the first time; the generator is left as it was.</summary>
    private void TrackAgain(DecoderLayer layer, LayerTape tape)
    {
        Generator? generator = _context.Pass.Generator;
        using Tensor? now = generator?.get_state();
        if (tape.GeneratorState is { } before)
        {
            generator!.set_state(before);
        }

        layer.Track(tape.Input, _context, tape);
        if (now is not null)
        {
            generator!.set_state(now);
        }
    }

    public override void Dispose()
    {
        foreach (LayerTape tape in _tapes)
        {
            tape.Dispose();
        }

        _kept.Dispose();
    }
}
