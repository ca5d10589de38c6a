using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Evaluation;

/// <summary>Writes on from a prompt, always with the most likely token; for samples and checks during training, not for serving.</summary>
internal static class GreedyDecoder
{
    /// <summary>Completes one prompt.</summary>
    /// <param name="model">The model, which need not be in evaluation mode: the pass says that nothing is trained.</param>
    /// <param name="adapters">The adapter to use.</param>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="maxNewTokens">Tokens at most.</param>
    /// <returns>The new tokens; the last is an end-of-sequence token if the model ended its text.</returns>
    public static IReadOnlyList<int> Complete(DecoderModel model, AdapterSelection adapters, IReadOnlyList<int> prompt, int maxNewTokens)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var capacity = Math.Min(model.Config.ContextLength, prompt.Count + maxNewTokens);
        using var cache = new KeyValueCache(model, rows: 1, capacity);
        var completion = new List<int>();
        IReadOnlyList<int> next = prompt;
        var at = 0;
        while (completion.Count < maxNewTokens && at + next.Count <= capacity)
        {
            using var stepScope = NewDisposeScope();
            var ids = tensor(next.Select(id => (long)id).ToArray(), [1, next.Count], device: model.Device); // [1, T]
            var positions = Scalars.Range(at, at + next.Count, model.Device).unsqueeze(0); // [1, T]
            var hidden = model.Hidden(ids, new ForwardPass { Positions = positions, Cache = cache, Adapters = adapters }); // [1, T, C]
            var token = (int)model.Logits(hidden[0, -1]).argmax().item<long>();
            completion.Add(token);
            if (model.Config.EosTokenIds.Contains(token))
            {
                break;
            }

            at += next.Count;
            next = [token];
        }

        return completion;
    }
}
