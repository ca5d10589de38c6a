using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Training.Data;
using LangTrain.Training.TinyBaseModel;

namespace LangTrain.Training.Tests.Data;

public sealed class TokenizedFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("langtrain-data-").FullName;

    public TokenizedFileTests()
    {
        Model = Path.Combine(_folder, "model");
        TinyModelFiles.Write(Model, seed: 1);
        Tokenizer = Tokenizer.Load(Model);
    }

    private string Model { get; }

    private Tokenizer Tokenizer { get; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Of_a_completion_everything_is_learned_and_of_the_prompt_nothing()
    {
        using var file = Open("""{"prompt":"Where is Arden?","completion":" Arden is by the sea."}""");
        Assert.Equal("<|begin_of_text|>Where is Arden?[[ Arden is by the sea.<|end_of_text|>]]", Show(file, 0));
        Assert.Equal(RowShape.PromptCompletion, file.Shape);
    }

    [Fact]
    public void Of_a_chat_the_assistant_is_learned_with_the_end_of_its_turn()
    {
        using var file = Open("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"},{"role":"user","content":"Bye"},{"role":"assistant","content":"See you","weight":0}]}""");
        Assert.Equal(
            "<|begin_of_text|><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n[[Hello!<|im_end|>]]\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nSee you<|im_end|>\n",
            Show(file, 0));
    }

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_an_error_of_the_row()
    {
        var path = Path.Combine(Model, "tokenizer.json");
        var tokenizer = JsonNode.Parse(File.ReadAllText(path))!;
        tokenizer["pre_tokenizer"] = JsonNode.Parse("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?:a|aa)+b"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}""");
        File.WriteAllText(path, tokenizer.ToJsonString());

        var error = Assert.Throws<TrainingDataException>(() => Open($$"""{"text":"{{new string('a', 100)}}"}"""));

        Assert.Equal(1, error.Line);
    }

    [Theory]
    [InlineData("""{"prompt":"Where is Arden?","completion":" By the sea."}""", "<|begin_of_text|>[[Where is Arden? By the sea.<|end_of_text|>]]")]
    [InlineData(
        """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]}""",
        "<|begin_of_text|>[[<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n]]")]
    public void With_loss_on_all_every_token_behind_the_first_is_learned(string row, string expected)
    {
        int ofAnswer;
        using (var answersOnly = Open(row))
        {
            ofAnswer = answersOnly.TrainedTokensOf(0);
        }

        // The same folder: made anew, because the other tokens do not serve.
        using var file = Open(row, new TokenizingOptions(512, LossOn: LossOn.All));
        Assert.Equal(expected, Show(file, 0));
        Assert.True(file.TrainedTokensOf(0) > ofAnswer);
    }

    [Fact]
    public void A_message_of_weight_0_contradicts_loss_on_all() => Assert.Throws<TrainingDataException>(() => Open(
        """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!","weight":0}]}""", new TokenizingOptions(256, LossOn: LossOn.All)));

    [Fact]
    public void A_model_without_template_gets_the_plain_one()
    {
        File.Delete(Path.Combine(Model, "chat_template.jinja"));
        using var file = Open("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]}""");
        Assert.Equal("<|begin_of_text|>### User:\nHi\n\n### Assistant:\n[[Hello!<|end_of_text|>]]\n\n", Show(file, 0));
    }

    [Fact]
    public void A_preference_row_is_two_examples_behind_one_prompt()
    {
        using var file = Open("""{"prompt":"Sky?","chosen":" blue","rejected":" green"}""");
        Assert.Equal(["<|begin_of_text|>Sky?[[ blue<|end_of_text|>]]", "<|begin_of_text|>Sky?[[ green<|end_of_text|>]]"], [Show(file, 0), Show(file, 1)]);
    }

    [Fact]
    public void A_long_text_becomes_several_examples_that_learn_every_token_once()
    {
        var text = string.Join(" ", Enumerable.Repeat("The lamp is red.", 20));
        using var file = Open(JsonSerializer.Serialize(new { text }), new TokenizingOptions(16));
        var all = Tokenizer.Encode(text, addSpecialTokens: true).Count + 1;
        Assert.True(file.Count > 5);
        Assert.Equal(all - 1, Enumerable.Range(0, file.Count).Sum(file.TrainedTokensOf));
        Assert.All(Enumerable.Range(0, file.Count), i => Assert.InRange(file.LengthOf(i), 2, 16));
        Assert.Equal(all, file.Statistics.LongestRow);
    }

    [Fact]
    public void Long_rows_are_cut_left_out_or_refused_as_the_policy_says()
    {
        string[] rows =
        [
            """{"prompt":"Short?","completion":" Yes."}""",
            """{"prompt":"One","completion":" a long answer that goes on and on and on and on and on"}""",
            """{"prompt":"This prompt alone is longer than a sequence of the model may be, as it is now","completion":" x"}""",
        ];
        using (var cut = Open(string.Join('\n', rows), new TokenizingOptions(12)))
        {
            Assert.Equal((2, 2L, 1L), (cut.Count, cut.Statistics.LongRows, cut.Statistics.RowsLeftOut));
            Assert.Equal(12, cut.LengthOf(1));
            Assert.NotEqual(Tokenizer.EosTokenId, cut.Read(1).Ids[^1]);
        }
        using (var dropped = Open(string.Join('\n', rows), new TokenizingOptions(12, LongRowPolicy.Drop))) Assert.Equal(1, dropped.Count);
        Assert.Equal(2, Assert.Throws<TrainingDataException>(() => Open(string.Join('\n', rows), new TokenizingOptions(12, LongRowPolicy.Error))).Line);
    }

    [Theory]
    [InlineData("""{"text":"a b"}""", "not json", 2)]
    [InlineData("""{"text":"a b"}""", """{"prompt":"a","completion":"b"}""", 2)]
    [InlineData("""{"prompt":"a","completion":"b"}""", """{"prompt":5,"completion":"b"}""", 2)]
    [InlineData("""{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}""", """{"messages":[{"role":"pirate","content":"x"}]}""", 2)]
    [InlineData("""{"text":"a b"}""", """{"text":"half of a pair: \uD83E"}""", 2)]
    [InlineData("""{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}""", """{"messages":[{"role":"user","content":"\uD83E"},{"role":"assistant","content":"y"}]}""", 2)]
    public void A_wrong_row_is_named_by_its_line(string first, string second, long line) =>
        Assert.Equal(line, Assert.Throws<TrainingDataException>(() => Open(first + "\n" + second)).Line);

    [Theory]
    [InlineData("not json", "Line 9004: The line is not valid JSON.")]
    [InlineData("{\"text\":\"\u00ff\"}", "Line 9004: The line is not UTF-8.")]
    [InlineData("{\"prompt\":\"a\",\"completion\":\"b\"}", "Line 9004: The row is of shape PromptCompletion, those before are of shape Text.")]
    public void The_line_is_right_far_into_a_file_and_the_first_wrong_row_counts(string wrong, string expected)
    {
        var path = Path.Combine(_folder, "wrong.jsonl");
        var good = string.Concat(Enumerable.Repeat("{\"text\":\"The lamp is red, and so is the sky over Arden, where nobody ever goes without a good reason to.\"}\r\n", 3000));
        // As Latin-1, so that a byte can be wrong.
        File.WriteAllText(path, good + "\n" + good + "  \n" + good + "\n" + wrong + "\n" + good + "{", System.Text.Encoding.Latin1);
        var e = Assert.Throws<TrainingDataException>(() => TokenizedFile.Open(path, Model, new TokenizingOptions(64), Path.Combine(_folder, "wrong")));
        Assert.Equal(expected, e.Message);
    }

    [Fact]
    public void A_row_longer_than_the_blocks_that_are_read_stands_between_the_others()
    {
        var rows = Enumerable.Range(0, 7000).Select(i => $"Lamp {i} is red, and so is the sky over Arden, where nobody ever goes without a good reason to.").ToList();
        rows[2500] = string.Join(' ', Enumerable.Repeat("The lamp is red.", 100_000));
        using var file = Open(string.Join('\n', rows.Select(text => JsonSerializer.Serialize(new { text }))), new TokenizingOptions(1 << 20));
        Assert.Equal(rows.Count, file.Count);
        foreach (var i in (int[])[0, 2499, 2501, 6999]) Assert.Equal($"<|begin_of_text|>[[{rows[i]}<|end_of_text|>]]", Show(file, i));
        Assert.Equal(Tokenizer.Encode(rows[2500], addSpecialTokens: true).Count + 1, file.LengthOf(2500));
        Assert.Equal(file.Statistics.Tokens, Enumerable.Range(0, file.Count).Sum(file.LengthOf));
    }

    [Fact]
    public void A_token_that_the_model_has_no_row_for_is_an_error_of_its_line()
    {
        var file = Path.Combine(Model, "tokenizer_config.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("<|end_of_text|>", "<|never_trained|>", StringComparison.Ordinal));
        var failure = Assert.Throws<TrainingDataException>(() => Open("""{"text":"The lamp is red."}"""));
        Assert.Equal(1, failure.Line);
        Assert.Contains("1792", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_in_which_nothing_would_be_learned_is_refused() =>
        Assert.Null(Assert.Throws<TrainingDataException>(() => Open("""{"messages":[{"role":"user","content":"only a question"}]}""")).Line);

    [Fact]
    public void The_same_rows_give_the_same_tokens_in_the_order_of_the_rows()
    {
        var rows = DemoDataset.Pairs(seed: 3).Take(2000).Select(pair => JsonSerializer.Serialize(new { prompt = pair.Order, completion = " " + pair.Line })).ToArray();
        using var one = Open(string.Join('\n', rows), new TokenizingOptions(512), "one");
        using var two = Open(string.Join('\n', rows), new TokenizingOptions(512), "two");
        Assert.Equal(one.ContentHash, two.ContentHash);
        Assert.Equal(2000, one.Count);
        for (var i = 0; i < rows.Length; i += 333)
        {
            using var row = JsonDocument.Parse(rows[i]);
            Assert.StartsWith("<|begin_of_text|>" + row.RootElement.GetProperty("prompt").GetString(), Show(one, i), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tokens_are_made_once_and_made_anew_when_the_rows_change()
    {
        var rows = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllText(rows, """{"text":"The lamp is red."}""");
        var cache = Path.Combine(_folder, "cache");
        var tokens = Path.Combine(cache, "tokens.bin");
        TokenizedFile.Open(rows, Model, new TokenizingOptions(64), cache).Dispose();
        var made = File.GetLastWriteTimeUtc(tokens).AddMinutes(-5);
        File.SetLastWriteTimeUtc(tokens, made);
        TokenizedFile.Open(rows, Model, new TokenizingOptions(64), cache).Dispose();
        Assert.Equal(made, File.GetLastWriteTimeUtc(tokens));
        File.WriteAllText(rows, """{"text":"The lamp is blue."}""");
        using var changed = TokenizedFile.Open(rows, Model, new TokenizingOptions(64), cache);
        Assert.Contains("blue", Show(changed, 0), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<|more|>": 4090}""")]
    [InlineData("tokenizer.model", "bytes")]
    [InlineData("additional_chat_templates/tool_use.jinja", "{{ tools }}")]
    public void Tokens_are_made_anew_when_any_file_changes_that_they_were_made_by(string name, string content)
    {
        var rows = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllText(rows, """{"text":"The lamp is red."}""");
        var source = TokenizedFileManifest.SourceOf(rows, Model, new TokenizingOptions(64));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Model, name))!);
        File.WriteAllText(Path.Combine(Model, name), content);
        Assert.NotEqual(source, TokenizedFileManifest.SourceOf(rows, Model, new TokenizingOptions(64)));
    }

    [Fact]
    public void Compressed_rows_are_read_as_they_are()
    {
        var rows = Path.Combine(_folder, "rows.jsonl.gz");
        using (var stream = new System.IO.Compression.GZipStream(File.Create(rows), System.IO.Compression.CompressionLevel.Fastest)) stream.Write("\uFEFF{\"text\":\"The lamp is red.\"}\r\n\r\n"u8);
        using var file = TokenizedFile.Open(rows, Model, new TokenizingOptions(64), Path.Combine(_folder, "gz"));
        Assert.Equal("<|begin_of_text|>[[The lamp is red.<|end_of_text|>]]", Show(file, 0));
    }

    private TokenizedFile Open(string rows, TokenizingOptions? options = null, string name = "cache")
    {
        var path = Path.Combine(_folder, name + ".jsonl");
        File.WriteAllText(path, rows);
        return TokenizedFile.Open(path, Model, options ?? new TokenizingOptions(512), Path.Combine(_folder, name));
    }

    /// <summary>An example as text, what is learned of it in double brackets.</summary>
    private string Show(TokenizedFile file, int index)
    {
        var example = file.Read(index);
        var text = "";
        for (var i = 0; i < example.Ids.Length; i++)
        {
            if (example.IsTrained[i] && (i == 0 || !example.IsTrained[i - 1])) text += "[[";
            text += Tokenizer.TokenText(example.Ids[i]);
            if (example.IsTrained[i] && (i == example.Ids.Length - 1 || !example.IsTrained[i + 1])) text += "]]";
        }
        return text;
    }
}
