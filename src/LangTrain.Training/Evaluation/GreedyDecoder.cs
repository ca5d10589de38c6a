using LangTrain.Modeling;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Evaluation;

/// <summary>Writes on from prompts, always with the most likely token; for samples and checks during training, not for serving.</summary>
internal static class GreedyDecoder
{
    // Of all rows that go through the model together: bounds the cache's memory.
    private const int MostCachedTokens = 8192;

    /// <summary>What is trained answers questions about its data.</summary>
    /// <param name="trainee">The model and adapter.</param>
    /// <param name="data">Says what ends an answer.</param>
    /// <param name="questions">The questions.</param>
    /// <param name="most">Tokens of an answer, see <see cref="Question.AnswerTokens"/>.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <returns>As <see cref="Complete"/>.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Answer(Trainee trainee, TrainingData data, IEnumerable<Question> questions, int most, CancellationToken cancellation) =>
        Complete(trainee.Model, trainee.Adapters, [.. questions.Select(question => (question.Prompt, question.AnswerTokens(most)))], data.EndTokens(trainee.Model.Config), cancellation);

    /// <summary>Completes prompts, several at a time: a step reads every weight once, for one row or for many.</summary>
    /// <param name="model">The model, which need not be in evaluation mode: the pass says that nothing is trained.</param>
    /// <param name="adapters">The adapter to use.</param>
    /// <param name="prompts">Token ids, at least one, and the most tokens to add.</param>
    /// <param name="endTokens">Tokens that end a text.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <returns>For each prompt the new tokens; the last is an end token if the model ended its text. None where the context has no room.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<IReadOnlyList<int>> Complete(
        DecoderModel model, AdapterSelection adapters, IReadOnlyList<(IReadOnlyList<int> Prompt, int MaxNewTokens)> prompts, IReadOnlyCollection<int> endTokens, CancellationToken cancellation)
    {
        var completions = new List<IReadOnlyList<int>>();
        while (completions.Count < prompts.Count)
        {
            var (rows, capacity) = (0, 0);
            foreach (var (prompt, most) in prompts.Skip(completions.Count))
            {
                var needed = Math.Max(capacity, Math.Min(model.Config.ContextLength, prompt.Count + most));
                if (rows > 0 && (rows + 1) * needed > MostCachedTokens)
                {
                    break;
                }

                (rows, capacity) = (rows + 1, needed);
            }

            completions.AddRange(CompleteTogether(model, adapters, [.. prompts.Skip(completions.Count).Take(rows)], endTokens, capacity, cancellation));
        }

        return completions;
    }

    private static List<int>[] CompleteTogether(
        DecoderModel model, AdapterSelection adapters, (IReadOnlyList<int> Prompt, int MaxNewTokens)[] prompts, IReadOnlyCollection<int> endTokens, int capacity, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache(model, prompts.Length, capacity);
        var completions = prompts.Select(_ => new List<int>()).ToArray();
        var next = prompts.Select(prompt => prompt.Prompt).ToArray(); // what each row's next step takes in
        while (true)
        {
            int[] going = [.. Enumerable.Range(0, prompts.Length).Where(GoesOn)];
            if (going.Length == 0)
            {
                return completions;
            }

            cancellation.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            int[] counts = [.. going.Select(row => next[row].Count)];
            var width = counts.Max();
            var ids = new long[going.Length * width];
            for (var i = 0; i < going.Length; i++)
            {
                for (var t = 0; t < counts[i]; t++)
                {
                    ids[i * width + t] = next[going[i]][t];
                }
            }

            var pass = new ForwardPass { Cache = cache, CacheRows = going, TokenCounts = counts, Adapters = adapters };
            var hidden = model.Hidden(tensor(ids, [going.Length, width], device: model.Device), pass).flatten(0, 1); // [B · T, C]
            var last = tensor(counts.Select((count, i) => (long)i * width + count - 1).ToArray(), device: model.Device); // [B]
            var tokens = model.Logits(hidden.index_select(0, last)).argmax(-1).cpu().data<long>();
            for (var i = 0; i < going.Length; i++)
            {
                completions[going[i]].Add((int)tokens[i]);
                next[going[i]] = [(int)tokens[i]];
            }
        }

        bool GoesOn(int row) => completions[row].Count < prompts[row].MaxNewTokens && cache.Length(row) + next[row].Count <= capacity
            && (completions[row].Count == 0 || !endTokens.Contains(completions[row][^1]));
    }
}
