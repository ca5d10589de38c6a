using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(true, long.MaxValue)]
    [InlineData(false, long.MaxValue)]
    [InlineData(false, 10_000)] // several shards and an index
    public void A_saved_model_gives_identical_logits_when_loaded(bool tied, long shardBytes)
    {
        using DecoderModel model = Some.Model(config: Some.Config(tied));
        CheckpointSaver.Save(model, _folder.Path, null, null, shardBytes);
        Assert.Equal(shardBytes < long.MaxValue, File.Exists(_folder.File("model.safetensors.index.json")));
        using DecoderModel loaded = DecoderModel.Load(_folder.Path);
        Tensor ids = Some.Ids(2, 9);
        Assert.True(Some.Same(Some.Logits(model, ids), Some.Logits(loaded, ids)));
        Assert.All(loaded.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void Weights_are_converted_on_the_way()
    {
        using DecoderModel model = Some.Model();
        model.Save(_folder.Path, ScalarType.BFloat16);
        Assert.Contains("\"bfloat16\"", File.ReadAllText(_folder.File("config.json")));
        using DecoderModel wide = DecoderModel.Load(_folder.Path), narrow = DecoderModel.Load(_folder.Path, new ModelLoadOptions { Dtype = ScalarType.BFloat16 });
        Assert.Equal(wide.WeightBytes, 2 * narrow.WeightBytes);
        Tensor ids = Some.Ids(2, 9);
        Some.Close(Some.Logits(model, ids), Some.Logits(wide, ids), 0.05);
        Some.Close(Some.Logits(wide, ids), Some.Logits(narrow, ids), 0.05);
        Assert.Equal(ScalarType.BFloat16, Some.Logits(narrow, ids).dtype);
    }

    [Theory]
    [InlineData("num_hidden_layers", 2, "model.layers.2")] // the checkpoint has one more than the config
    [InlineData("num_hidden_layers", 4, "model.layers.3")] // and one less
    [InlineData("intermediate_size", 40, "gate_proj")]
    [InlineData("head_dim", 10_000_000, "q_proj")] // before memory is asked for: libtorch ends the process where there is none
    [InlineData("vocab_size", 60_000_000, "embed_tokens")]
    [InlineData("head_dim", 1_000_000_000, "head_dim")]
    [InlineData("hidden_size", 2_000_000_000, "hidden_size")]
    [InlineData("num_hidden_layers", 100_000_000, "num_hidden_layers")]
    public void A_checkpoint_that_does_not_fit_its_config_is_refused(string key, int value, string named)
    {
        using (DecoderModel model = Some.Model())
        {
            model.Save(_folder.Path);
        }

        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!.AsObject();
        config[key] = value;
        File.WriteAllText(_folder.File("config.json"), config.ToJsonString());
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => DecoderModel.Load(_folder.Path)).Message);
    }

    [Theory]
    [InlineData("gemma2", "model.", "")] // as a base model is saved, without its head
    [InlineData("gpt2", "", "transformer.")]
    [InlineData("gemma3", "language_model.model.", "model.language_model.")] // as a part of a model that also sees, before and since transformers 5
    public void Weights_under_the_names_of_another_class_are_the_same_weights(string family, string prefix, string other)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Reference", family);
        byte[] file = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        int length = (int)BitConverter.ToInt64(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, length))!.AsObject(), renamed = [];
        foreach ((string name, JsonNode? entry) in header)
        {
            renamed[name != "__metadata__" && name.StartsWith(prefix, StringComparison.Ordinal) ? other + name[prefix.Length..] : name] = entry!.DeepClone();
        }

        byte[] json = System.Text.Encoding.UTF8.GetBytes(renamed.ToJsonString().PadRight((length + (64 * header.Count)) / 8 * 8));
        File.WriteAllBytes(_folder.File("model.safetensors"), [.. BitConverter.GetBytes((long)json.Length), .. json, .. file[(8 + length)..]]);
        File.Copy(Path.Combine(folder, "config.json"), _folder.File("config.json"));
        using DecoderModel expected = DecoderModel.Load(folder), loaded = DecoderModel.Load(_folder.Path);
        Tensor ids = Some.Ids(1, 5, vocabulary: 20);
        Assert.True(Some.Same(Some.Logits(expected, ids), Some.Logits(loaded, ids)));
    }

    [Fact]
    public void An_index_may_not_lead_out_of_its_folder()
    {
        using (DecoderModel model = Some.Model())
        {
            CheckpointSaver.Save(model, _folder.Path, null, null, 10_000);
        }

        string index = _folder.File("model.safetensors.index.json");
        File.WriteAllText(index, File.ReadAllText(index).Replace("model-00001-of", "../model-00001-of"));
        Assert.Throws<InvalidDataException>(() => DecoderModel.Load(_folder.Path));
    }

    [Fact]
    public void A_folder_without_weights_says_so()
    {
        File.WriteAllText(_folder.File("config.json"), Some.Config().Json);
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => DecoderModel.Load(_folder.Path)).Message);
    }
}
