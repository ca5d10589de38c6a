using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Perplexity as llama.cpp's llama-perplexity computes it: chunks of the context, the first token of each replaced by the beginning of text, the second half counted.</summary>
internal static class Perplexity
{
    public static double Of(DecoderModel model, IReadOnlyList<int> ids, int? beginOfText, int context = 128, LoraAdapter? adapter = null)
    {
        double sum = 0;
        int count = 0;
        var pass = new ForwardPass { Adapters = adapter is null ? AdapterSelection.None : AdapterSelection.All(adapter) };
        for (int start = 0; start + context <= ids.Count; start += context)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            long[] chunk = [.. ids.Skip(start).Take(context).Select(id => (long)id)];
            Tensor targets = tensor(chunk[(context / 2 + 1)..]);
            chunk[0] = beginOfText ?? chunk[0];
            Tensor logits = Some.Logits(model, tensor(chunk).unsqueeze(0), pass)[0].narrow(0, context / 2, context / 2 - 1);
            sum += nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.Sum).item<float>();
            count += context / 2 - 1;
        }

        return Math.Exp(sum / count);
    }
}
