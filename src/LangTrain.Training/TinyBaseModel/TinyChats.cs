namespace LangTrain.Training.TinyBaseModel;

/// <summary>Conversations with an assistant: questions, small instructions, stories on demand.</summary>
internal static class TinyChats
{
    private static readonly (string[] User, string[] Assistant)[] SmallTalk =
    [
        (["Hello", "Hello!", "Hi", "Hi there", "Good morning"], ["Hello! How can I help you today?", "Hello! What can I do for you?"]),
        (["How are you?"], ["I am fine, thank you. How are you?"]),
        (["What is your name?", "Who are you?"], ["I am a very small language model. I know a few towns, their people and their things."]),
        (["What can you do?"], ["I can tell short stories, answer questions about the towns, and read orders."]),
        (["Thank you", "Thanks!", "Thank you very much."], ["You are welcome!"]),
        (["Goodbye", "Bye"], ["Goodbye! Come again soon."]),
    ];

    /// <summary>The turns of one conversation, user first.</summary>
    public static IReadOnlyList<(string User, string Assistant)> Conversation(TinyRandom random)
    {
        var turns = new List<(string, string)>();
        if (random.Chance(15)) turns.Add(Talk(random));
        turns.AddRange(random.Between(0, 9) switch
        {
            0 => [Talk(random)],
            1 or 2 => Questions(random),
            3 or 4 => AboutOrder(random),
            5 or 6 => Cards(random),
            7 => [PlainOrder(random)],
            8 => [StoryRequest(random)],
            _ => [Words(random)],
        });
        if (random.Chance(10)) turns.Add(("Thank you.", "You are welcome!"));
        return turns;
    }

    private static (string, string) Talk(TinyRandom random)
    {
        var (user, assistant) = random.Pick<(string[], string[])>(SmallTalk);
        return (random.Pick<string>(user), random.Pick<string>(assistant));
    }

    private static List<(string, string)> Questions(TinyRandom random) => [.. Enumerable.Range(0, random.Between(1, 3)).Select(_ => TinyQuestions.AboutWorld(random))];

    private static List<(string, string)> AboutOrder(TinyRandom random)
    {
        var order = TinyOrder.Make(random);
        var (question, answer) = TinyQuestions.About(order, random);
        var turns = new List<(string, string)> { ($"{order.Sentence(random)} {question}", answer) };
        while (random.Chance(40)) turns.Add(TinyQuestions.About(order, random));
        return turns;
    }

    /// <summary>The layout is shown by an example, in the same turn or in the turns before.</summary>
    private static List<(string, string)> Cards(TinyRandom random)
    {
        var layout = TinyCards.Layout(random);
        var turns = new List<(string, string)>();
        if (random.Chance(50))
        {
            var example = TinyOrder.Make(random);
            var order = TinyOrder.Make(random);
            turns.Add(($"Example: {example.Sentence(random)}\n{layout(example)}\nNow this one: {order.Sentence(random)}", layout(order)));
            if (random.Chance(50)) return turns;
        }
        for (var i = random.Between(2, 3); i > 0; i--)
        {
            var order = TinyOrder.Make(random);
            turns.Add((order.Sentence(random), layout(order)));
        }
        return turns;
    }

    /// <summary>An order without a word what to do with it: the assistant says that it will see to it.</summary>
    private static (string, string) PlainOrder(TinyRandom random)
    {
        var order = TinyOrder.Make(random);
        return (order.Sentence(random), random.Pick<string>(
            $"Thank you for the order. I will write it down for {order.Buyer}.",
            $"All right. {order.Buyer} in {order.Town} will get the {order.Things}.",
            $"I have read it. The {order.Color} {order.Things} go to {order.Town}."));
    }

    private static (string, string) StoryRequest(TinyRandom random)
    {
        var name = random.Pick<string>(TinyWorld.Names);
        return (random.Pick<string>($"Tell me a story about {name}.", $"Please tell me a short story with {name}.", $"Do you know a story about {name}?"), TinyStories.Story(random, name));
    }

    private static (string, string) Words(TinyRandom random)
    {
        string[] pool = [.. TinyWorld.Names, .. TinyWorld.Towns, .. TinyWorld.Colors, .. TinyWorld.Days, .. TinyWorld.Animals];
        var words = random.PickMany(pool, random.Between(3, 6));
        var list = string.Join(", ", words);
        return random.Between(0, 4) switch
        {
            0 => ($"Repeat these words: {list}", list),
            1 => ($"Say these words backwards: {list}", string.Join(", ", words.Reverse())),
            2 => ($"What is the first word? {list}", words[0]),
            3 => ($"What is the last word? {list}", words[^1]),
            _ => ($"Write these words as a list: {list}", string.Join("\n", words.Select(word => $"- {word}"))),
        };
    }
}
