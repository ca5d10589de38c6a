using System.Text.Json;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.TinyBaseModel;

namespace LangTrain.Training.Tests.TinyBaseModel;

public class TinyBaseModelTests
{
    [Fact]
    public void The_corpus_is_the_same_for_the_same_seed_and_another_for_another()
    {
        Assert.Equal(TinyCorpus.Documents(1).Take(300), TinyCorpus.Documents(1).Take(300));
        // Greetings and facts come again; most documents do not.
        Assert.InRange(TinyCorpus.Documents(1).Take(300).Intersect(TinyCorpus.Documents(2).Take(300)).Count(), 0, 60);
    }

    [Fact]
    public void The_demo_task_is_not_in_the_corpus() => Assert.DoesNotContain(TinyCorpus.Documents(1).Take(5000), document => document.Contains("ship:", StringComparison.Ordinal));

    [Fact]
    public void No_held_out_row_is_in_another_part_of_the_demo()
    {
        var folder = Directory.CreateTempSubdirectory("langtrain-demo-").FullName;
        try
        {
            DemoDataset.Write(folder, seed: 1);
            var parts = new[] { "train", "validation", "held-out" }.Select(name => File.ReadAllLines(Path.Combine(folder, name + ".jsonl"))).ToList();
            Assert.Equal([DemoDataset.TrainingRows, DemoDataset.ValidationRows, DemoDataset.HeldOutRows], parts.Select(part => part.Length));
            var answers = parts.SelectMany(part => part.Select(Answer)).ToList();
            Assert.Equal(answers.Count, answers.Distinct().Count());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_files_make_a_tokenizer_that_knows_the_world_and_a_template_that_agrees_with_the_corpus()
    {
        var folder = Directory.CreateTempSubdirectory("langtrain-tiny-").FullName;
        try
        {
            TinyModelFiles.Write(folder, seed: 1);
            var tokenizer = Tokenizer.Load(folder);
            using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
            Assert.Equal(tokenizer.VocabularySize, config.RootElement.GetProperty("vocab_size").GetInt32());
            // One token each: copying a name, a town or a thing is copying one token.
            Assert.All([.. TinyWorld.Names, .. TinyWorld.Towns, .. TinyWorld.Colors, .. TinyWorld.Days, .. TinyWorld.Things.Select(thing => thing.Many)], word => Assert.Single(tokenizer.Encode(" " + word)));
            var template = ChatTemplate.Load(folder)!;
            using var messages = JsonDocument.Parse("""[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]""");
            Assert.Equal("<|begin_of_text|><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n", template.Render(new ChatRenderInput(messages.RootElement)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Answer(string row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.GetProperty("messages")[1].GetProperty("content").GetString()!;
    }
}
