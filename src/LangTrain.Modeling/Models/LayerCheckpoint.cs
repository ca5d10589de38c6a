using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// Runs a layer without keeping its intermediates and runs it again in the backward pass (arXiv:1604.06174). Dropout is repeated exactly: the
/// generator is set back to where the layer began.
/// </summary>
internal sealed class LayerCheckpoint : autograd.SingleTensorFunction<LayerCheckpoint>
{
    public override string Name => nameof(LayerCheckpoint);

    /// <param name="x">[B, T, C].</param>
    /// <param name="context">The pass; it is made anew in the backward pass, from <paramref name="ids"/>.</param>
    /// <param name="config">The architecture.</param>
    /// <param name="ids">[B, T], the caller's.</param>
    /// <param name="layer">The layer.</param>
    /// <returns>[B, T, C].</returns>
    public static Tensor Run(Tensor x, PassContext context, ModelConfig config, Tensor ids, Func<Tensor, PassContext, Tensor> layer)
    {
        // An adapter's gradients need a path back through every layer, also where nothing before the first one is trained.
        Tensor input = x.requires_grad ? x : x.detach().requires_grad_();
        return apply(input, new Job(context, config, ids, layer));
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, job) = ((Tensor)vars[0], (Job)vars[1]);
        job.Begin = job.Context.Pass.Generator?.get_state().DetachFromDisposeScope();
        ctx.save_for_backward([x]);
        ctx.save_data(nameof(Job), job);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        return job.Layer(x, job.Context).MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var job = (Job)ctx.get_data(nameof(Job));
        Generator? generator = job.Context.Pass.Generator;
        using var scope = NewDisposeScope();
        using Tensor? now = generator?.get_state();
        Tensor x = ctx.get_saved_variables()[0].detach().requires_grad_();
        try
        {
            if (job.Begin is { } begin)
            {
                generator!.set_state(begin);
            }

            using var tracked = enable_grad();
            PassContext context = PassContext.Create(job.Config, job.Ids, job.Context.Pass, x.dtype);
            job.Layer(x, context).backward([grad_output]);
        }
        finally
        {
            if (now is not null)
            {
                generator!.set_state(now);
            }

            job.Begin?.Dispose();
        }

        return [x.grad!.MoveToOuterDisposeScope(), null!];
    }

    private sealed class Job(PassContext context, ModelConfig config, Tensor ids, Func<Tensor, PassContext, Tensor> layer)
    {
        public PassContext Context => context;

        public ModelConfig Config => config;

        public Tensor Ids => ids;

        public Func<Tensor, PassContext, Tensor> Layer => layer;

        /// <summary>The generator's state before the layer.</summary>
        public Tensor? Begin { get; set; }
    }
}
