using System.Buffers.Binary;
using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Models;

public sealed class RegisterBaseModelsTests : IDisposable
{
    private const string Config = """{"model_type":"llama","max_position_embeddings":128}""";

    private readonly string _root = Directory.CreateTempSubdirectory("langtrain-models-").FullName;
    private readonly InMemoryModelStore _models = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly ManualTimeProvider _clock = new();

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Folder_says_what_it_is_and_its_revision_changes_with_its_files()
    {
        Write("org/tiny-chat", Config, chatTemplate: true);
        Write("plain", Config);
        Assert.All(await Register().FromDirectoryAsync(_root), model => Assert.Null(model.Problem));
        var chat = (await _models.FindAsync(null, "org/tiny-chat"))!;
        Assert.Equal(("ready", "chat", 6L, 128), (chat.Status, chat.Category, chat.ParameterCount, chat.ContextLength));
        Assert.Equal((ModelSource.ModelsDirectory, "org/tiny-chat"), (chat.Weights!.Kind, chat.Weights.Folder));
        var plain = (await _models.FindAsync(null, "plain"))!;
        Assert.Equal("base", plain.Category);
        Assert.DoesNotContain("chat", plain.SupportedTasks);

        Write("plain", """{"model_type":"llama","max_position_embeddings":64}""");
        await Register().FromDirectoryAsync(_root);
        Assert.NotEqual(plain.Weights!.Revision, (await _models.FindAsync(null, "plain"))!.Weights!.Revision);
    }

    [Theory]
    [InlineData(true, "tokenizer.model")]
    [InlineData(true, "vocab.json", "merges.txt")]
    [InlineData(false, "vocab.json")]
    [InlineData(false)]
    public async Task Folder_needs_a_tokenizer_of_any_kind(bool isEnough, params string[] files)
    {
        Write("plain", Config);
        File.Delete(Path.Combine(_root, "plain", "tokenizer.json"));
        foreach (var name in files)
        {
            File.WriteAllText(Path.Combine(_root, "plain", name), "{}");
        }

        Assert.Equal(isEnough, (await Register().FromDirectoryAsync(_root)).Single().Problem is null);
    }

    [Fact]
    public async Task Folder_that_went_away_is_missing_and_says_how_to_bring_it_back()
    {
        Write("org/tiny", Config);
        await Register().FromDirectoryAsync(_root);
        Directory.Delete(Path.Combine(_root, "org"), recursive: true);
        await Register().FromDirectoryAsync(_root);
        var model = (await _models.FindAsync(null, "org/tiny"))!;
        Assert.Equal(("weights_missing", null), (model.Status, model.Weights));
        Assert.Contains("LANGTRAIN_MODELS_DIR/org/tiny", model.StatusReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"F":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}""", 24)]
    [InlineData("""{"F":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}""", 20)]
    [InlineData("""{"F":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}""", 28)]
    [InlineData("""{"F":{"dtype":"F32","shape":[9223372036854775807,3],"data_offsets":[0,24]}}""", 24)]
    [InlineData("""{"F":{"dtype":"X7","shape":[2,3],"data_offsets":[0,24]}}""", 24)]
    [InlineData("""{"F":5}""", 24)]
    [InlineData("not json", 24)]
    public async Task Lying_header_is_refused(string header, int dataBytes)
    {
        Write("bad", Config, header: header, dataBytes: dataBytes);
        Assert.NotNull((await Register().FromDirectoryAsync(_root)).Single().Problem);
        Assert.Null(await _models.FindAsync(null, "bad"));
    }

    [Fact]
    public async Task Folder_in_blobs_counts_once_its_manifest_is_there()
    {
        Write("org/tiny", Config);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_root, "org/tiny")))
        {
            await using var content = File.OpenRead(file);
            await _blobs.WriteAsync("base-models", "org/tiny/" + Path.GetFileName(file), content);
        }

        Assert.Empty(await Register().FromContainerAsync());
        await _blobs.WriteAsync("base-models", "org/tiny/manifest.json", new MemoryStream("{}"u8.ToArray()));
        Assert.Null((await Register().FromContainerAsync()).Single().Problem);
        Assert.Equal((ModelSource.Blob, "base-models"), ((await _models.FindAsync(null, "org/tiny"))!.Weights!.Kind, (await _models.FindAsync(null, "org/tiny"))!.Weights!.Container));
    }

    [Fact]
    public async Task Known_models_are_listed_as_missing_and_never_hide_a_real_one()
    {
        Write("meta-llama/Llama-2-7b-hf", Config);
        await Register().FromDirectoryAsync(_root);
        await Register().ListKnownAsync();
        Assert.Equal("ready", (await _models.FindAsync(null, "meta-llama/Llama-2-7b-hf"))!.Status);
        Assert.Equal("weights_missing", (await _models.FindAsync(null, "Qwen/Qwen3-8B"))!.Status);
    }

    [Fact]
    public async Task Real_model_of_the_shared_folder()
    {
        var shared = FindShared();
        Assert.SkipUnless(shared is not null, "The shared models are not on this machine.");
        Assert.Null((await Register().FromDirectoryAsync(shared!)).Single(model => model.ModelId == "stories260K").Problem);
        var model = (await _models.FindAsync(null, "stories260K"))!.ToAnswer();
        Assert.Equal(("260K", 512), (model.Parameters, model.ContextLength));
    }

    [Theory]
    [InlineData(6_738_415_616, "6.7B")]
    [InlineData(1_235_814_400, "1.2B")]
    [InlineData(999_999_999, "1B")]
    [InlineData(124_439_808, "124M")]
    [InlineData(1_200_000, "1.2M")]
    [InlineData(260_032, "260K")]
    [InlineData(0, "unknown")]
    public void Parameters_read_as_people_say_them(long count, string text) => Assert.Equal(text, ModelAnswers.ParametersText(count));

    private RegisterBaseModels Register() =>
        new(_models, _blobs, new StorageNames(), new ModelCatalog(_models, ModelAliases.None, _clock), _clock);

    private void Write(
        string folder, string config, bool chatTemplate = false, string header = """{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}""", int dataBytes = 24)
    {
        var path = Directory.CreateDirectory(Path.Combine(_root, folder)).FullName;
        File.WriteAllText(Path.Combine(path, "config.json"), config);
        File.WriteAllText(Path.Combine(path, "tokenizer.json"), "{}");
        if (chatTemplate)
        {
            File.WriteAllText(Path.Combine(path, "chat_template.jinja"), "{{ messages }}");
        }

        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)json.Length);
        json.CopyTo(bytes, 8);
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), bytes);
    }

    // Beside the repository, where it is at all.
    private static string? FindShared()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LangTrain.Functions.sln")))
            {
                var models = Path.Combine(folder.Parent!.FullName, "shared", "models");
                return Directory.Exists(models) ? models : null;
            }
        }

        return null;
    }
}
