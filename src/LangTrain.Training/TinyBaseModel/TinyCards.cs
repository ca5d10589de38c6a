using System.Globalization;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Orders written as cards, each text in a layout of its own: the reader has to see the layout and to copy the right words into it.</summary>
internal static class TinyCards
{
    private static readonly (string[] Labels, Func<TinyOrder, string> Value)[] Fields =
    [
        (["to", "for", "name", "buyer", "guest"], order => order.Buyer),
        (["town", "place", "where", "at"], order => order.Town),
        (["count", "number", "amount"], order => order.Count.ToString(CultureInfo.InvariantCulture)),
        (["thing", "item", "what"], order => order.Things),
        (["color", "paint"], order => order.Color),
        (["day", "when", "due"], order => order.Day),
        (["goods", "load", "order"], order => order.Goods),
        (["visit", "stop"], order => $"{order.Buyer} / {order.Town}"),
        (["trip", "cart"], order => $"{order.Town} on {order.Day}"),
    ];

    private static readonly string[] Words =
        [
            .. TinyWorld.Names, .. TinyWorld.Towns, .. TinyWorld.Colors, .. TinyWorld.Days, .. TinyWorld.Animals,
            .. TinyWorld.Things.Select(thing => thing.One), .. TinyWorld.Things.Select(thing => thing.Many),
            "ship", "send", "mail", "pack", "yes", "no", "good", "bad", "high", "low", "name", "date", "price", "label", "type", "true", "false", "urgent", "normal", "other",
        ];

    /// <summary>A way to write cards.</summary>
    public static Func<TinyOrder, string> Layout(TinyRandom random)
    {
        var separator = random.Pick<string>("; ", ", ", " | ", " / ", "\n", " - ");
        var style = random.Between(0, 3);
        var fields = random.PickMany(Fields, random.Between(2, 5)).Select(field => (Label: random.Pick<string>(field.Labels), field.Value)).ToList();
        return order => string.Join(separator, fields.Select(field => style switch
        {
            0 => $"{field.Label}: {field.Value(order)}",
            1 => $"{field.Label} = {field.Value(order)}",
            2 => $"[{field.Label}] {field.Value(order)}",
            _ => field.Value(order),
        }));
    }

    /// <summary>Several orders, each with its card in the same layout.</summary>
    public static string Document(TinyRandom random)
    {
        var layout = Layout(random);
        var (before, between) = random.Pick<(string, string)>(("", "\n"), ("Order: ", "\nCard: "), ("", " => "), ("Text: ", "\nNote: "), ("- ", "\n> "));
        var cards = Enumerable.Range(0, random.Between(2, 4)).Select(_ =>
        {
            var order = TinyOrder.Make(random);
            return $"{before}{order.Sentence(random)}{between}{layout(order)}";
        });
        return string.Join("\n\n", cards);
    }

    /// <summary>Words and the same words again, in the same order, turned around or picked from: pure copying.</summary>
    public static string Copying(TinyRandom random)
    {
        if (random.Chance(50)) return Repetition(random);
        var words = random.PickMany(Words, random.Between(3, 6));
        var list = string.Join(", ", words);
        return random.Between(0, 4) switch
        {
            0 => $"List: {list}.\nThe same list: {list}.",
            1 => $"List: {list}.\nBackwards: {string.Join(", ", words.Reverse())}.",
            2 => $"List: {list}.\nFirst: {words[0]}. Last: {words[^1]}.",
            3 => $"List: {list}.\n" + string.Join("\n", words.Select((word, i) => $"{i + 1}. {word}")),
            _ => $"{words[0]} is with {words[1]}. {words[2]} is alone.\nWho or what is alone? {words[2]}. What is with {words[1]}? {words[0]}.",
        };
    }

    /// <summary>Nothing helps here but to look for the word where it stood before: what makes a model learn to copy early.</summary>
    private static string Repetition(TinyRandom random)
    {
        string[] words = random.Chance(75) ? random.PickMany(Words, random.Between(4, 16)) : [.. Enumerable.Range(0, random.Between(3, 8)).Select(_ => MadeUp(random))];
        return string.Join("\n", Enumerable.Repeat(string.Join(" ", words), random.Between(2, 4)));
    }

    /// <summary>A word that nobody has seen, so that pieces of words and digits are known as well.</summary>
    private static string MadeUp(TinyRandom random)
    {
        if (random.Chance(25)) return random.Between(0, 99_999).ToString(CultureInfo.InvariantCulture);
        var word = string.Concat(Enumerable.Range(0, random.Between(1, 3)).Select(_ =>
            random.Pick<string>("b", "c", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "sh", "st", "t", "th", "v", "w", "x", "y", "z")
            + random.Pick<string>("a", "e", "i", "o", "u", "ai", "ea", "ou") + random.Pick<string>("", "", "n", "r", "s", "t", "p", "ck")));
        return random.Between(0, 9) switch { 0 => TinyWorld.Capital(word), 1 => word.ToUpperInvariant(), 2 => word + random.Pick<string>("-", "_", "/", "#", "@", "+", "=", "&", "*", "%", "$") , _ => word };
    }
}
