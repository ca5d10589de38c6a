namespace LangTrain.Training.TinyBaseModel;

/// <summary>The small world that the tiny base model knows: a few hundred words, and facts that hold in every text about it.</summary>
internal static class TinyWorld
{
    public static readonly string[] Women =
        ["Mira", "Anna", "Clara", "Ella", "Greta", "Ida", "Kate", "Maya", "Olga", "Rosa", "Tina", "Wendy", "Zoe", "Bella", "Dora", "Frida", "Hanna", "Julia", "Lena", "Nora"];

    public static readonly string[] Men =
        ["Tom", "Ben", "David", "Felix", "Hugo", "Jonas", "Leo", "Nils", "Paul", "Sam", "Victor", "Adam", "Carl", "Emil", "George", "Ivan", "Karl", "Martin", "Oscar", "Peter"];

    public static readonly string[] Names = [.. Women, .. Men];

    public static readonly string[] Towns =
        ["Arden", "Belmont", "Corby", "Dover", "Elton", "Fairlea", "Grafton", "Harwick", "Linton", "Marsh", "Norwood", "Oakley", "Penrose", "Redhill", "Stoneham", "Tarn", "Upton", "Weston",
         "Ashby", "Bramley", "Clifton", "Denham", "Eastbury", "Farley", "Glenmore", "Holt", "Kirkby", "Longford"];

    public static readonly string[] Colors = ["red", "blue", "green", "yellow", "black", "white", "brown", "gray", "orange", "purple"];

    public static readonly string[] Days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    /// <summary>Index is the number.</summary>
    public static readonly string[] Numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

    public static readonly (string One, string Many)[] Things =
    [
        ("lamp", "lamps"), ("chair", "chairs"), ("book", "books"), ("bell", "bells"), ("kite", "kites"), ("cup", "cups"), ("box", "boxes"), ("coat", "coats"),
        ("hat", "hats"), ("clock", "clocks"), ("drum", "drums"), ("basket", "baskets"), ("table", "tables"), ("mirror", "mirrors"), ("candle", "candles"), ("blanket", "blankets"),
        ("bottle", "bottles"), ("brush", "brushes"), ("ladder", "ladders"), ("shirt", "shirts"), ("scarf", "scarves"), ("plate", "plates"), ("ball", "balls"), ("rope", "ropes"),
        ("spoon", "spoons"), ("glove", "gloves"), ("key", "keys"), ("jar", "jars"), ("ring", "rings"), ("pencil", "pencils"), ("pillow", "pillows"), ("wheel", "wheels"),
        ("shovel", "shovels"), ("broom", "brooms"), ("saddle", "saddles"), ("violin", "violins"), ("map", "maps"), ("bucket", "buckets"), ("button", "buttons"), ("flag", "flags"),
    ];

    public static readonly string[] Animals = ["cat", "dog", "horse", "goat", "duck", "rabbit", "owl", "fox", "mouse", "sheep", "hen", "pony", "donkey", "turtle", "parrot", "squirrel", "swan", "frog", "lamb", "pig"];

    public static readonly string[] Foods = ["bread", "soup", "cake", "cheese", "apple pie", "rice", "fish", "honey", "jam", "porridge", "plum cake", "bean soup", "corn", "pumpkin pie", "stew", "toast"];

    public static readonly string[] Jobs = ["baker", "teacher", "farmer", "sailor", "doctor", "painter", "carpenter", "gardener", "tailor", "singer", "miller", "potter", "fisher", "writer", "nurse", "cook", "shepherd", "weaver"];

    public static readonly string[] Places = ["the market", "the harbour", "the school", "the old mill", "the library", "the bridge", "the garden", "the forest", "the station", "the lake", "the town hall", "the beach", "the well", "the tower", "the park", "the theatre", "the windmill", "the church"];

    public static readonly string[] Weathers = ["sunny", "rainy", "windy", "cold", "warm", "foggy"];

    public static readonly (string Word, string Opposite)[] Opposites =
        [("big", "small"), ("hot", "cold"), ("old", "new"), ("happy", "sad"), ("fast", "slow"), ("long", "short"), ("early", "late"), ("open", "closed"), ("light", "dark"), ("full", "empty"),
         ("high", "low"), ("near", "far"), ("loud", "quiet"), ("wet", "dry"), ("strong", "weak"), ("rich", "poor")];

    public static readonly (string Thing, string Color)[] ThingColors =
        [("Grass", "green"), ("Snow", "white"), ("The sky", "blue"), ("The sun", "yellow"), ("Coal", "black"), ("A carrot", "orange"), ("A tomato", "red"), ("Wood", "brown"), ("Milk", "white"), ("A leaf", "green"), ("Blood", "red")];

    /// <summary>Where somebody lives, what somebody is and has: the same in every text.</summary>
    public static Person PersonOf(string name)
    {
        var i = Array.IndexOf(Names, name);
        var she = i < Women.Length;
        return new Person(name, she ? "she" : "he", she ? "her" : "him", she ? "her" : "his", Towns[i * 7 % Towns.Length], Jobs[i * 3 % Jobs.Length], Animals[i * 5 % Animals.Length], Foods[(i * 3 + i / 10) % Foods.Length], Colors[(i * 3 + i / 10) % Colors.Length], Days[i * 2 % 7]);
    }

    /// <summary>What a town is like: the same in every text.</summary>
    public static Town TownOf(string name)
    {
        var i = Array.IndexOf(Towns, name);
        string[] where = ["by the sea", "on a hill", "near a forest", "beside a river", "in a green valley"];
        return new Town(name, where[i % where.Length], Places[i * 3 % Places.Length], Foods[i * 7 % Foods.Length], Colors[i * 7 % Colors.Length], Days[i * 3 % 7]);
    }

    public static string Article(string noun) => noun[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an" : "a";

    public static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>Somebody of this world.</summary>
    internal sealed record Person(string Name, string She, string Her, string HerOwn, string Town, string Job, string Pet, string Food, string Color, string FreeDay);

    /// <summary>A place of this world.</summary>
    internal sealed record Town(string Name, string Where, string Place, string Food, string FlagColor, string MarketDay);
}
