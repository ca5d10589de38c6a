using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.Tests.Tokenizers;

public class BpeTrainerTests
{
    private static readonly string[] Specials = ["<|begin_of_text|>", "<|end_of_text|>"];

    [Fact]
    public void A_learned_vocabulary_encodes_frequent_words_as_one_token_and_any_text_without_loss()
    {
        var json = Train();
        var tokenizer = Tokenizer.Parse(json);
        Assert.Equal(340, tokenizer.VocabularySize);
        Assert.Single(tokenizer.Encode(" harbour"));
        var text = "The harbour, ünïcödé 🦙 and 12345\n\nlines <|end_of_text|>";
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text), skipSpecialTokens: false));
        Assert.Equal(0, tokenizer.Encode("x", addSpecialTokens: true)[0]);
    }

    [Fact]
    public void The_same_texts_give_the_same_file() => Assert.Equal(Train(), Train());

    [Fact]
    public void Merges_are_learned_most_frequent_first()
    {
        var trainer = new BpeTrainer();
        for (var i = 0; i < 10; i++) trainer.Add("abab");
        trainer.Add("cd cd");
        var tokenizer = Tokenizer.Parse(trainer.Train(Specials.Length + 256 + 2, Specials));
        Assert.Equal(["ab", "abab"], [tokenizer.Entry(258), tokenizer.Entry(259)]);
    }

    private static byte[] Train()
    {
        var trainer = new BpeTrainer();
        for (var i = 0; i < 60; i++) trainer.Add($"The small boat number {i} left the harbour of the town. It carried {i * 7} boxes of apples, bread and lamps to another harbour.");
        return trainer.Train(340, Specials, "<|begin_of_text|>");
    }
}
