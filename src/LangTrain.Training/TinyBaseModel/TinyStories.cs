namespace LangTrain.Training.TinyBaseModel;

/// <summary>Short stories about the people of the world; each keeps its names, things and places from the first sentence to the last.</summary>
internal static class TinyStories
{
    public static string Story(TinyRandom random, string? heroName = null)
    {
        var hero = TinyWorld.PersonOf(heroName ?? random.Pick<string>(TinyWorld.Names));
        var friend = TinyWorld.PersonOf(random.Pick<string>([.. TinyWorld.Names.Where(name => name != hero.Name)]));
        var scene = new Scene(random, hero, friend);
        return string.Join(" ", scene.Beginning(), random.Between(0, 13) switch
        {
            0 => scene.LostThing(),
            1 => scene.Storm(),
            2 => scene.Present(),
            3 => scene.RunawayPet(),
            4 => scene.Market(),
            5 => scene.Cooking(),
            6 => scene.Boat(),
            7 => scene.Snow(),
            8 => scene.Music(),
            9 => scene.Garden(),
            10 => scene.Letter(),
            11 => scene.Race(),
            12 => scene.Night(),
            _ => scene.Lesson(),
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

        public string Boat() => Join(
            $"{hero.Name} and {friend.Name} took a small {_color} boat out on the water.",
            random.Pick<string>("The waves were high, but they were not afraid.", "The water was quiet, and the sun was shining."),
            $"Far from land, {friend.Name} saw {TinyWorld.Article(_thing)} {_thing} swimming in the water.",
            $"\"Whose {_thing} is that?\" asked {friend.Name}. \"It is mine,\" said {hero.Name}. \"I lost it last {random.Pick<string>(TinyWorld.Days)}.\"",
            $"They took the {_thing} out of the water and sailed back to {hero.Town}.");

        public string Snow() => Join(
            $"In the night snow had come to {hero.Town}, and everything was white.",
            $"The {hero.Pet} had never seen snow and did not want to go out.",
            $"{hero.Name} made a warm bed from {TinyWorld.Article(_color)} {_color} blanket, and {friend.Name} brought hot {friend.Food}.",
            $"Then they all went to {_place} and played in the snow until it was dark.");

        public string Music() => Join(
            $"{_She} wanted to learn a song for the big day in {hero.Town}.",
            $"{friend.Name} played the drum, and {hero.Name} sang about {TinyWorld.Article(_color)} {_color} {_thing}.",
            $"At first the song sounded bad, and even the {hero.Pet} ran away.",
            $"But they tried again and again, and on {random.Pick<string>(TinyWorld.Days)} everybody at {_place} listened and was happy.");

        public string Garden() => Join(
            $"{hero.Name} put seeds in the ground behind the house and gave them water every day.",
            $"\"Nothing grows here,\" {hero.She} said, and {hero.She} was sad.",
            $"\"You must wait,\" said {friend.Name} the {friend.Job}. \"Good things take time.\"",
            $"After {TinyWorld.Numbers[random.Between(2, 12)]} days there was a small green leaf, and then {TinyWorld.Article(_color)} {_color} flower.",
            $"{hero.Name} put the flower in {TinyWorld.Article(_thing)} {_thing} and gave it to {friend.Name}.");

        public string Letter() => Join(
            $"A letter came from {friend.Name}, who lives in {friend.Town}.",
            $"\"Dear {hero.Name},\" it said, \"please come to {friend.Town} on {random.Pick<string>(TinyWorld.Days)}. Bring the {_color} {_thing}.\"",
            $"{hero.Name} put the {_color} {_thing} in a bag and walked for a long time.",
            $"In {friend.Town}, {friend.Name} was waiting at {_place}. \"I am so happy that you are here,\" {friend.She} said.");

        public string Race() => Join(
            $"There was a race from {_place} to the gate of {hero.Town}, and {hero.Name} wanted to win it.",
            $"{friend.Name} was fast, but {hero.Name} was fast too.",
            random.Pick<string>($"Near the end {friend.Name} fell, and {hero.Name} stopped to help.", $"Near the end {hero.Name} was tired, and {friend.Name} waited for {hero.Her}."),
            $"They came to the gate together, and both got {TinyWorld.Article(_color)} {_color} {_thing}.");

        public string Night() => Join(
            $"In the middle of the night {hero.Name} heard a sound from {_place}.",
            $"{_She} took a lamp and went out. It was dark and very quiet.",
            $"Something moved behind the {_thing}. \"Who is there?\" asked {hero.Name}.",
            $"It was only {friend.Name}'s {friend.Pet}, which was looking for food.",
            $"{hero.Name} gave the {friend.Pet} some {hero.Food} and brought it back to {friend.Name} in the morning.");

        public string Lesson() => Join(
            $"{friend.Name} the {friend.Job} wanted to show {hero.Name} how to make {TinyWorld.Article(_thing)} {_thing}.",
            $"\"First you need good wood,\" said {friend.Name}, \"and then {_color} paint.\"",
            $"The first {_thing} was too small, and the second {_thing} was too big.",
            $"But the third {_thing} was just right, and {hero.Name} was very proud of it.",
            $"Now the {_color} {_thing} stands at {_place} for everybody to see.");

        private static string Join(params string[] sentences) => string.Join(" ", sentences);
    }
}
