using System.Globalization;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Questions with their answers: about an order just read, about the world, and about words and numbers.</summary>
internal static class TinyQuestions
{
    /// <summary>A question about an order.</summary>
    public static (string Question, string Answer) About(TinyOrder order, TinyRandom random) => random.Between(0, 7) switch
    {
        0 => ($"Who gets the {order.Things}?", $"{order.Buyer} gets the {order.Things}."),
        1 => ($"Where do the {order.Things} go?", $"The {order.Things} go to {order.Town}."),
        2 => ($"What color are the {order.Things}?", $"The {order.Things} are {order.Color}."),
        3 => ($"How many {order.Things} are there?", $"There are {order.Count.ToString(CultureInfo.InvariantCulture)} {order.Things}."),
        4 => ("What is in the order?", $"The order is {order.Goods}."),
        5 => ("Which day is it for?", $"It is for {order.Day}."),
        6 => ("Who is it for, and where?", $"It is for {order.Buyer} in {order.Town}."),
        _ => ("Say it in short.", $"{order.Goods} for {order.Buyer} in {order.Town} on {order.Day}."),
    };

    /// <summary>A question about somebody, somewhere or something of the world.</summary>
    public static (string Question, string Answer) AboutWorld(TinyRandom random)
    {
        var person = TinyWorld.PersonOf(random.Pick<string>(TinyWorld.Names));
        var town = TinyWorld.TownOf(random.Pick<string>(TinyWorld.Towns));
        var (one, many) = random.Pick<(string, string)>(TinyWorld.Things);
        var (word, opposite) = random.Pick<(string, string)>(TinyWorld.Opposites);
        var (thing, color) = random.Pick<(string, string)>(TinyWorld.ThingColors);
        var day = random.Between(0, 6);
        var (a, b) = (random.Between(1, 9), random.Between(1, 9));
        return random.Between(0, 19) switch
        {
            0 => ($"Where does {person.Name} live?", $"{person.Name} lives in {person.Town}."),
            1 => ($"What does {person.Name} do?", $"{person.Name} is {TinyWorld.Article(person.Job)} {person.Job}."),
            2 => ($"Does {person.Name} have a pet?", $"Yes, {person.Name} has {TinyWorld.Article(person.Pet)} {person.Pet}."),
            3 => ($"What does {person.Name} like to eat?", $"{person.Name} likes {person.Food}."),
            4 => ($"Where is {town.Name}?", $"{town.Name} is a town {town.Where}."),
            5 => ($"What is {town.Name} known for?", $"{town.Name} is known for {town.Place} and for good {town.Food}."),
            6 => ($"What is the plural of {one}?", $"The plural of {one} is {many}."),
            7 => ($"What is the opposite of {word}?", $"The opposite of {word} is {opposite}."),
            8 => ($"What color is {(thing.Contains(' ', StringComparison.Ordinal) ? char.ToLowerInvariant(thing[0]) + thing[1..] : thing.ToLowerInvariant())}?", $"{thing} is {color}."),
            9 => ($"What day comes after {TinyWorld.Days[day]}?", $"After {TinyWorld.Days[day]} comes {TinyWorld.Days[(day + 1) % 7]}."),
            10 => ($"What is {a} plus {b}?", $"{a} plus {b} is {a + b}."),
            11 => Kind(random),
            15 => ($"What color does {person.Name} like?", $"{person.Name} likes {person.Color}."),
            16 => ($"What color is the flag of {town.Name}?", $"The flag of {town.Name} is {town.FlagColor}."),
            17 => ($"When is the market in {town.Name}?", $"The market in {town.Name} is on {town.MarketDay}."),
            18 => ($"On which day does {person.Name} rest?", $"{person.Name} rests on {person.FreeDay}."),
            12 => ($"Count from {a} to {a + 4}.", $"{a}, {a + 1}, {a + 2}, {a + 3}, {a + 4}."),
            13 => ($"What is {a + b} minus {b}?", $"{a + b} minus {b} is {a}."),
            14 => ($"Who lives in {person.Town}?", string.Join(" ", TinyWorld.Names.Where(name => TinyWorld.PersonOf(name).Town == person.Town).Select(name => $"{name} lives in {person.Town}."))),
            _ => ($"Write the number {TinyWorld.Numbers[a + 1]} in digits.", $"The number {TinyWorld.Numbers[a + 1]} is {a + 1}."),
        };
    }

    private static (string Question, string Answer) Kind(TinyRandom random)
    {
        var color = random.Pick<string>(TinyWorld.Colors);
        var animal = random.Pick<string>(TinyWorld.Animals);
        var thing = random.Pick<(string One, string Many)>(TinyWorld.Things).One;
        var town = random.Pick<string>(TinyWorld.Towns);
        var list = string.Join(", ", random.PickMany([color, animal, thing, town], 4));
        return random.Between(0, 3) switch
        {
            0 => ($"Which of these is an animal? {list}", $"The {animal} is an animal."),
            1 => ($"Which of these is a color? {list}", $"{TinyWorld.Capital(color)} is a color."),
            2 => ($"Which of these is a town? {list}", $"{town} is a town."),
            _ => ($"Which of these is a thing? {list}", $"The {thing} is a thing."),
        };
    }

    /// <summary>An order or two and questions about them.</summary>
    public static string Document(TinyRandom random)
    {
        if (random.Chance(30))
        {
            return string.Join("\n", Enumerable.Range(0, random.Between(2, 5)).Select(_ =>
            {
                var (question, answer) = AboutWorld(random);
                return $"Question: {question}\nAnswer: {answer}";
            }));
        }
        var order = TinyOrder.Make(random);
        var text = order.Sentence(random);
        for (var i = random.Between(2, 4); i > 0; i--)
        {
            var (question, answer) = About(order, random);
            text += $"\nQuestion: {question}\nAnswer: {answer}";
        }
        return text;
    }

    /// <summary>What is so in this world, in full sentences.</summary>
    public static string Facts(TinyRandom random)
    {
        if (random.Chance(35))
        {
            var town = TinyWorld.TownOf(random.Pick<string>(TinyWorld.Towns));
            var people = TinyWorld.Names.Select(TinyWorld.PersonOf).Where(person => person.Town == town.Name).ToList();
            var text = $"{town.Name} is a town {town.Where}. People come to {town.Name} to see {town.Place} and to eat {town.Food}. Its flag is {town.FlagColor}, and its market is on {town.MarketDay}.";
            foreach (var person in people) text += $" {person.Name} the {person.Job} lives in {town.Name}.";
            return text;
        }
        var who = TinyWorld.PersonOf(random.Pick<string>(TinyWorld.Names));
        var she = TinyWorld.Capital(who.She);
        return random.Pick<string>(
            $"{who.Name} lives in {who.Town}. {she} is {TinyWorld.Article(who.Job)} {who.Job}. {TinyWorld.Capital(who.HerOwn)} pet is {TinyWorld.Article(who.Pet)} {who.Pet}, and {who.She} likes {who.Food}. {TinyWorld.Capital(who.HerOwn)} favourite color is {who.Color}.",
            $"In {who.Town} there is {TinyWorld.Article(who.Job)} {who.Job} called {who.Name}. {she} has {TinyWorld.Article(who.Pet)} {who.Pet}. Every day {who.She} eats {who.Food}. On {who.FreeDay} {who.She} wears {TinyWorld.Article(who.Color)} {who.Color} hat.",
            $"{who.Name} is {TinyWorld.Article(who.Job)} {who.Job} in {who.Town}. When work is done, {who.She} gives food to {who.HerOwn} {who.Pet} and makes {who.Food} for {who.HerOwn} friends.");
    }
}
