using System.Text;
using LangTrain.Testing;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

/// <summary>Checkpoints that torch 2.14.1 wrote: Reference/make_torch_checkpoints.py. Elements count up in row-major order.</summary>
public sealed class TorchCheckpointTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("zip.bin")]
    [InlineData("protocol4.bin")]
    [InlineData("old.bin")]
    public void Every_layout_becomes_the_same_safetensors(string name)
    {
        TorchCheckpointConverter.Convert(Reference(name), _folder.File("model.safetensors"));
        using SafetensorsFile file = SafetensorsFile.Open(_folder.File("model.safetensors"));
        Assert.Equal(17, file.Entries.Count);
        Assert.Equal([ScalarType.BFloat16, ScalarType.Float16, ScalarType.Int8, ScalarType.Bool], ((string[])["bfloat16", "float16", "int8", "bool"]).Select(type => file["plain." + type].Dtype));
        Assert.Equal([0f, 1, 0, 1, 0, 1], file.Read("plain.bool", ScalarType.Float32).data<float>());
        foreach (SafetensorsEntry entry in file.Entries.Where(entry => entry.Dtype != ScalarType.Bool))
        {
            double unit = entry.Dtype is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16 ? 8 : 1;
            Assert.Equal(Enumerable.Range(0, (int)entry.Shape.Aggregate(1L, (a, b) => a * b)).Select(i => i / unit), file.Read(entry.Name, ScalarType.Float64).data<double>());
        }

        Assert.Equal([4, 3], file["transposed"].Shape);
        Assert.Equal([], file["scalar"].Shape);
        Assert.Equal([0, 4], file["empty"].Shape);
    }

    [Fact]
    public void Weights_under_state_dict_are_found()
    {
        using TorchCheckpointFile file = TorchCheckpointFile.Open(Reference("nested.bin"));
        Assert.Equal(["weight", "bias"], file.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void A_folder_of_pickled_shards_loads_like_the_one_it_was_made_from()
    {
        using DecoderModel model = Some.Model();
        File.WriteAllText(_folder.File("config.json"), model.Config.Json);
        (string, Tensor)[] all = [.. model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter))];
        string index = string.Join(",", all.Select((pair, i) => $"\"{pair.Item1}\":\"pytorch_model-{i % 2}.bin\""));
        File.WriteAllText(_folder.File("pytorch_model.bin.index.json"), $$$"""{"weight_map":{{{{index}}}}}""");
        for (int shard = 0; shard < 2; shard++)
        {
            using FileStream file = File.Create(_folder.File($"pytorch_model-{shard}.bin"));
            OldTorchFile.Write(file, [.. all.Where((_, i) => i % 2 == shard).Select(pair => (pair.Item1, pair.Item2.shape, pair.Item2.detach().bytes.ToArray()))]);
        }

        Assert.Equal(["model-0.safetensors", "model-1.safetensors", "model.safetensors.index.json"], TorchCheckpointConverter.ConvertFolder(_folder.Path));
        using DecoderModel loaded = DecoderModel.Load(_folder.Path);
        Assert.True(Some.Same(Some.Logits(model, Some.Ids(1, 9)), Some.Logits(loaded, Some.Ids(1, 9))));
        Assert.Empty(TorchCheckpointConverter.ConvertFolder(_folder.Path));
    }

    [Theory]
    [InlineData("evil.bin", "posix.system")]
    [InlineData("evil-plain.bin", "posix.system")]
    [InlineData("float8.bin", "8-bit floats")]
    [InlineData("negative.bin", "'neg' view")]
    public void What_is_no_plain_tensor_is_refused_by_name(string name, string named)
    {
        Assert.Contains(named, Assert.Throws<UnsupportedModelException>(() => TorchCheckpointFile.Open(Reference(name))).Message);
        Assert.False(File.Exists("/tmp/langtrain-was-here"));
    }

    [Theory]
    [InlineData("old.bin")]
    [InlineData("protocol4.bin")]
    public void A_file_cut_anywhere_or_with_a_bit_flipped_is_refused_or_read_never_worse(string name)
    {
        byte[] whole = File.ReadAllBytes(Reference(name));
        var random = new Random(1);
        for (int i = 0; i < 600; i++)
        {
            byte[] damaged = [.. whole];
            if (i % 2 == 0)
            {
                damaged = damaged[..random.Next(whole.Length)];
            }
            else
            {
                damaged[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(_folder.File("damaged.bin"), damaged);
            Exception? error = Record.Exception(() =>
            {
                using TorchCheckpointFile file = TorchCheckpointFile.Open(_folder.File("damaged.bin"));
                foreach (SafetensorsEntry entry in file.Entries)
                {
                    file.Read(entry.Name).Dispose();
                }
            });
            Assert.True(error is null or InvalidDataException or UnsupportedModelException, error?.ToString());
            Assert.True(i % 2 == 1 || error is not null, "a cut file was read");
        }
    }

    [Theory]
    [InlineData("(K\x02K\x04t(K\x04K\x01t", "more elements than the 6")]
    [InlineData("(K\x02K\x03t(K\x04K\x01t", "reaches beyond")]
    [InlineData("(J\xff\xff\xff\xffK\x03t(K\x03K\x01t", "no whole number")]
    public void A_view_larger_than_its_storage_is_refused(string shapeAndStrides, string said)
    {
        byte[] pickle = Encoding.Latin1.GetBytes("\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01" + "0U\u0003cpuK\x06tQK\0" + shapeAndStrides + "tRs.");
        File.WriteAllBytes(_folder.File("view.bin"), [.. OldTorchFile.Head, .. pickle]);
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => TorchCheckpointFile.Open(_folder.File("view.bin"))).Message);
    }

    [Fact]
    public void What_Git_LFS_leaves_in_a_files_place_is_told_as_such()
    {
        foreach (string name in (string[])["pytorch_model.bin", "model.safetensors", "tokenizer.json", "tokenizer.model"])
        {
            File.WriteAllText(_folder.File(name), "version https://git-lfs.github.com/spec/v1\noid sha256:4665f29ed2\nsize 12345\n");
        }

        void Says(string name, Action read) => Assert.StartsWith($"{name} is only a Git LFS pointer", Assert.Throws<InvalidDataException>(read).Message);
        Says("pytorch_model.bin", () => TorchCheckpointFile.Open(_folder.File("pytorch_model.bin")));
        Says("model.safetensors", () => SafetensorsFile.Open(_folder.File("model.safetensors")));
        Says("tokenizer.json", () => LangTrain.Modeling.Tokenizers.Tokenizer.Load(_folder.Path));
        File.Delete(_folder.File("tokenizer.json"));
        Says("tokenizer.model", () => LangTrain.Modeling.Tokenizers.Tokenizer.Load(_folder.Path));
    }

    private static string Reference(string name) => Path.Combine(AppContext.BaseDirectory, "Reference", "torch", name);
}
