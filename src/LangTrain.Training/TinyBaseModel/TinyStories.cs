namespace LangTrain.Training.TinyBaseModel;

/// <summary>Short stories about the people of the world; each keeps its names, things and places from the first sentence to the last.</summary>
internal static class TinyStories
{
    public static string Story(TinyRandom random, string? heroName = null)
    {
        var hero = TinyWorld.PersonOf(heroName ?? random.Pick<string>(TinyWorld.Names));
        var friend = TinyWorld.PersonOf(random.Pick<string>([.. TinyWorld.Names.Where(name => name != hero.Name)]));
        var scene = new Scene(random, hero, friend);
        return string.Join(" ", scene.Beginning(), random.Between(0, 5) switch
        {
            0 => scene.LostThing(),
            1 => scene.Storm(),
            2 => scene.Present(),
            3 => scene.RunawayPet(),
            4 => scene.Market(),
            _ => scene.Cooking(),
        }, scene.End());
    }

    private sealed class Scene(TinyRandom random, TinyWorld.Person hero, TinyWorld.Person friend)
    {
        private readonly string _thing = random.Pick<(string One, string Many)>(TinyWorld.Things).One;
        private readonly string _color = random.Pick<string>(TinyWorld.Colors);
        private readonly string _place = random.Pick<string>(TinyWorld.Places);
        private readonly string _She = TinyWorld.Capital(hero.She);

        public string Beginning() => random.Pick<string>(
            $"One {random.Pick<string>(TinyWorld.Weathers)} morning, {hero.Name} left {hero.HerOwn} house in {hero.Town}.",
            $"Once there was {TinyWorld.Article(hero.Job)} {hero.Job} called {hero.Name}, who lived in {hero.Town}.",
            $"It was a {random.Pick<string>(TinyWorld.Weathers)} {random.Pick<string>(TinyWorld.Days)} in {hero.Town}, and {hero.Name} was up early.",
            $"{hero.Name} the {hero.Job} lived in {hero.Town} with {hero.HerOwn} {hero.Pet}.");

        public string End() => random.Pick<string>(
            $"In the evening they went home, tired and happy.",
            $"{hero.Name} thanked {friend.Name}, and they were good friends ever after.",
            $"\"That was a good day,\" said {hero.Name}.",
            $"\"Come again soon,\" said {friend.Name}, and {hero.Name} smiled.",
            $"From that day on, {hero.Name} and {friend.Name} met every {random.Pick<string>(TinyWorld.Days)}.");

        public string LostThing() => Join(
            random.Pick<string>($"{_She} could not find {hero.HerOwn} {_color} {_thing}.", $"But {hero.HerOwn} {_color} {_thing} was gone."),
            random.Pick<string>($"{_She} looked under the bed and behind the door, but the {_thing} was not there.", $"{_She} looked in every room, but there was no {_color} {_thing}."),
            $"So {hero.She} went to {_place} and asked {friend.Name}.",
            random.Pick<string>($"\"Have you seen my {_color} {_thing}?\" asked {hero.Name}.", $"\"I have lost my {_color} {_thing},\" said {hero.Name}."),
            random.Pick<string>($"\"Yes,\" said {friend.Name}, \"your {_thing} is right here.\"", $"{friend.Name} thought for a moment. \"Let us look together,\" {friend.She} said."),
            $"And there, near {_place}, they found the {_color} {_thing}.");

        public string Storm() => Join(
            "Suddenly dark clouds came, and the wind grew strong.",
            $"{hero.Name} ran to {_place} and saw that {friend.Name} was still outside.",
            random.Pick<string>($"\"Quick, come in!\" called {hero.Name}.", $"\"Take my hand!\" said {hero.Name}."),
            $"They waited together and ate {hero.Food} until the rain was over.",
            $"When the sun came back, {friend.Name} gave {hero.Name} {TinyWorld.Article(_color)} {_color} {_thing} to say thank you.");

        public string Present() => Join(
            $"{hero.Name} wanted to give {friend.Name} a present.",
            $"\"What would {friend.She} like?\" {hero.She} asked {hero.HerOwn} {hero.Pet}.",
            $"At {_place} {hero.She} saw {TinyWorld.Article(_color)} {_color} {_thing}.",
            $"{_She} bought the {_thing} and put it in a small box.",
            $"When {friend.Name} opened the box, {friend.She} laughed. \"{TinyWorld.Capital(TinyWorld.Article(_color))} {_color} {_thing}! I have always wanted one.\"");

        public string RunawayPet() => Join(
            $"That day {hero.HerOwn} {hero.Pet} ran away.",
            $"{hero.Name} called and called, but the {hero.Pet} did not come back.",
            $"{friend.Name} the {friend.Job} heard {hero.Her}. \"I saw your {hero.Pet} near {_place},\" {friend.She} said.",
            $"They went to {_place} and found the {hero.Pet} asleep on {TinyWorld.Article(_color)} {_color} {_thing}.",
            $"{hero.Name} took the {hero.Pet} in {hero.HerOwn} arms and carried it home.");

        public string Market() => Join(
            $"{_She} went to the market to buy {TinyWorld.Article(_thing)} {_thing}.",
            $"{friend.Name} had many things to sell, but every {_thing} was {random.Pick<string>(TinyWorld.Colors)}.",
            $"\"I would like {TinyWorld.Article(_color)} {_color} {_thing},\" said {hero.Name}.",
            $"\"I can paint one for you,\" said {friend.Name}. \"Come back on {random.Pick<string>(TinyWorld.Days)}.\"",
            $"When {hero.Name} came back, the {_color} {_thing} was ready, and it was very beautiful.");

        public string Cooking() => Join(
            $"{_She} wanted to make {hero.Food} for everybody in {hero.Town}.",
            $"But the pot was too heavy, so {hero.She} asked {friend.Name} to help.",
            $"{friend.Name} brought {TinyWorld.Article(_color)} {_color} {_thing} and some {friend.Food}.",
            $"They worked all day at {_place}, and the smell of {hero.Food} was everywhere.",
            $"\"This is the best {hero.Food} in {hero.Town},\" said {friend.Name}.");

        private static string Join(params string[] sentences) => string.Join(" ", sentences);
    }
}
