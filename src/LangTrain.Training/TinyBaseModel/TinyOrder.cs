using System.Globalization;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Somebody orders something: the sentence that most of the corpus's questions, cards and the demo's task are about.</summary>
internal sealed record TinyOrder(int Count, string Color, string Thing, string Things, string Buyer, string Town, string Day, string Sender)
{
    /// <summary>"3 red lamps".</summary>
    public string Goods => $"{Count.ToString(CultureInfo.InvariantCulture)} {Color} {Things}";

    public static TinyOrder Make(TinyRandom random)
    {
        var names = random.PickMany(TinyWorld.Names, 2);
        var (one, many) = random.Pick<(string, string)>(TinyWorld.Things);
        return new TinyOrder(random.Between(2, 20), random.Pick<string>(TinyWorld.Colors), one, many, names[0], random.Pick<string>(TinyWorld.Towns), random.Pick<string>(TinyWorld.Days), names[1]);
    }

    /// <summary>The order in words, in one of many ways.</summary>
    public string Sentence(TinyRandom random)
    {
        var number = Count < TinyWorld.Numbers.Length && random.Chance(50) ? TinyWorld.Numbers[Count] : Count.ToString(CultureInfo.InvariantCulture);
        var goods = $"{number} {Color} {Things}";
        var sentence = random.Pick<string>(
            $"{Buyer} in {Town} wants {goods} by {Day}.",
            $"Please send {goods} to {Buyer} in {Town} by {Day}.",
            $"By {Day}, {Buyer} from {Town} needs {goods}.",
            $"{Sender} asks us to bring {goods} to {Buyer} in {Town} before {Day}.",
            $"We have an order from {Town}: {goods} for {Buyer}, due on {Day}.",
            $"Can you pack {goods} for {Buyer}? They go to {Town} on {Day}.",
            $"{goods} should reach {Buyer} in {Town} on {Day}.",
            $"{Sender} bought {goods} for {Buyer}. Bring them to {Town} by {Day}.",
            $"There is a letter from {Buyer} of {Town}. It asks for {goods} on {Day}.",
            $"On {Day} a cart with {goods} leaves for {Town}. It is for {Buyer}.",
            $"{Buyer} has paid for {goods}. The shop in {Town} must have them by {Day}.",
            $"In {Town}, {Buyer} is waiting for {goods} until {Day}.");
        return TinyWorld.Capital(sentence);
    }
}
