using System.Text.Json;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>The demo's task: an order in free words in, a shipping line out. The base model has never seen such a line.</summary>
/// <remarks>
/// "By Friday, Mira from Arden needs three red lamps." becomes "ship: 3 red lamps; to: Mira, Arden; by: Friday". Wordings, word order, number words
/// and distracting names vary. No order of one part is in another, so that held-out accuracy is accuracy on orders never seen.
/// </remarks>
public static class DemoDataset
{
    /// <summary>Rows of the training file.</summary>
    public const int TrainingRows = 1200;

    /// <summary>Rows of the validation file.</summary>
    public const int ValidationRows = 100;

    /// <summary>Rows of the held-out file.</summary>
    public const int HeldOutRows = 200;

    /// <summary>Writes <c>train.jsonl</c>, <c>validation.jsonl</c> and <c>held-out.jsonl</c>, chat rows all.</summary>
    /// <param name="folder">Where to; it is made.</param>
    /// <param name="seed">Same seed, same files.</param>
    public static void Write(string folder, long seed)
    {
        Directory.CreateDirectory(folder);
        using var pairs = Pairs(seed).GetEnumerator();
        foreach (var (name, count) in (ReadOnlySpan<(string, int)>)[("train.jsonl", TrainingRows), ("validation.jsonl", ValidationRows), ("held-out.jsonl", HeldOutRows)])
        {
            using var writer = new StreamWriter(Path.Combine(folder, name)) { NewLine = "\n" };
            for (var i = 0; i < count && pairs.MoveNext(); i++) writer.WriteLine(Row(pairs.Current.Order, pairs.Current.Line));
        }
    }

    /// <summary>Questions and answers of the task, all different, without end.</summary>
    /// <param name="seed">Same seed, same pairs.</param>
    public static IEnumerable<(string Order, string Line)> Pairs(long seed)
    {
        var random = TinyRandom.For(seed, TinyPart.Demo, 0);
        var seen = new HashSet<string>();
        while (true)
        {
            var order = TinyOrder.Make(random);
            var line = $"ship: {order.Goods}; to: {order.Buyer}, {order.Town}; by: {order.Day}";
            if (seen.Add(line)) yield return (order.Sentence(random), line);
        }
    }

    private static string Row(string order, string line) =>
        JsonSerializer.Serialize(new TinyChatRow([new TinyMessage("user", order), new TinyMessage("assistant", line)]), TinyJson.Default.TinyChatRow);
}
