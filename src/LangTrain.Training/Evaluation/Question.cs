using LangTrain.Training.Batches;

namespace LangTrain.Training.Evaluation;

/// <summary>The first prompt of an example and the answer that the data has for it.</summary>
/// <param name="Prompt">Tokens before the first trained one.</param>
/// <param name="Answer">The trained tokens that follow, up to the next untrained one.</param>
internal sealed record Question(IReadOnlyList<int> Prompt, IReadOnlyList<int> Answer)
{
    /// <summary>True if a model's answer, its end token included, is that of the data.</summary>
    /// <remarks>A chat template may train one more token after the end token (a newline, say), which no answer ever reaches.</remarks>
    public bool IsAnsweredBy(IReadOnlyList<int> given) =>
        given.Count <= Answer.Count && Answer.Count - given.Count <= 1 && given.SequenceEqual(Answer.Take(given.Count));

    /// <summary>Questions evenly spread over the examples; none from examples that are one text and have no prompt.</summary>
    public static IEnumerable<Question> Among(ITokenizedExamples examples, int count)
    {
        var wanted = Math.Min(count, examples.Count);
        for (var i = 0; i < wanted; i++)
        {
            var example = examples.Read((int)((long)i * examples.Count / wanted));
            var start = Array.IndexOf(example.IsTrained, true, 1);
            if (start > 1)
            {
                var end = Array.IndexOf(example.IsTrained, false, start);
                yield return new Question(example.Ids[..start], example.Ids[start..(end < 0 ? example.Ids.Length : end)]);
            }
        }
    }
}
