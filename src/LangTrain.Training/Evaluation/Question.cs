using LangTrain.Training.Batches;

namespace LangTrain.Training.Evaluation;

/// <summary>The first prompt of an example and the answer that the data has for it.</summary>
/// <param name="Prompt">Tokens before the first trained one.</param>
/// <param name="Answer">The trained tokens that follow, up to the next untrained one.</param>
internal sealed record Question(IReadOnlyList<int> Prompt, IReadOnlyList<int> Answer)
{
    // One that has not learned to end its answers goes on beyond them.
    private const int ExtraAnswerTokens = 16;

    /// <summary>Tokens that a model gets to answer with.</summary>
    /// <param name="most">Of an answer of any length.</param>
    public int AnswerTokens(int most) => Math.Min(most, Answer.Count + ExtraAnswerTokens);

    /// <summary>Tokens of the longest answer that a model is likely to give.</summary>
    /// <param name="questions">What it is asked together.</param>
    /// <param name="most">As for <see cref="AnswerTokens"/>.</param>
    public static int LikelyTokens(IEnumerable<Question> questions, int most) =>
        questions.Select(question => Math.Min(most, question.Answer.Count + ExtraAnswerTokens / 2)).DefaultIfEmpty().Max();

    /// <summary>True if a model's answer, its end token included, is that of the data.</summary>
    /// <remarks>A chat template may train one more token after the end token (a newline, say), which no answer ever reaches.</remarks>
    public bool IsAnsweredBy(IReadOnlyList<int> given) =>
        given.Count <= Answer.Count && Answer.Count - given.Count <= 1 && given.SequenceEqual(Answer.Take(given.Count));

    /// <summary>Questions evenly spread over the rows; none from rows that are one text and have no prompt.</summary>
    /// <param name="examples">The examples.</param>
    /// <param name="count">Questions at most.</param>
    /// <param name="perRow">Examples that one row made, of which the first counts: 2 for pairs, whose chosen answer comes first.</param>
    public static IEnumerable<Question> Among(ITokenizedExamples examples, int count, int perRow = 1)
    {
        var rows = examples.Count / perRow;
        var wanted = Math.Min(count, rows);
        for (var i = 0; i < wanted; i++)
        {
            var example = examples.Read((int)((long)i * rows / wanted) * perRow);
            var start = Array.IndexOf(example.IsTrained, true, 1);
            if (start > 1)
            {
                var end = Array.IndexOf(example.IsTrained, false, start);
                yield return new Question(example.Ids[..start], example.Ids[start..(end < 0 ? example.Ids.Length : end)]);
            }
        }
    }
}
