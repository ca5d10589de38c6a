using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void A_file_behind_a_link_is_read_as_in_the_cache_of_Hugging_Face()
    {
        SafetensorsWriter.Write(_folder.File("blob"), [KeyValuePair.Create("a", arange(300, ScalarType.Float32))]);
        File.CreateSymbolicLink(_folder.File("model.safetensors"), "blob");
        using SafetensorsFile file = SafetensorsFile.Open(_folder.File("model.safetensors"));
        Assert.Equal(299f, file.Read("a")[299].item<float>());
    }

    [Fact]
    public void What_is_written_is_read_bit_for_bit()
    {
        Tensor values = tensor([0.1f, -2.5f, 65504f, 1e-30f, 3f, -0f]).view(2, 3);
        KeyValuePair<string, Tensor>[] tensors =
        [
            new("f32", values), new("bf16", values.to(ScalarType.BFloat16)), new("f16", values.to(ScalarType.Float16)), new("i64", tensor([1L, -5L])),
            new("empty", zeros(0, 4)), new("scalar", tensor(2.5f)), new("transposed", values.t()),
        ];
        SafetensorsWriter.Write(_folder.File("a.safetensors"), tensors);
        using SafetensorsFile file = SafetensorsFile.Open(_folder.File("a.safetensors"));
        foreach ((string name, Tensor expected) in tensors)
        {
            Tensor actual = file.Read(name);
            Assert.Equal(expected.dtype, actual.dtype);
            Assert.Equal(expected.shape, actual.shape);
            Assert.True(Some.Same(expected, actual), name);
        }

        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(["a.safetensors"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_header_of_odd_length_is_read_too()
    {
        byte[] data = new byte[16];
        BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4), 1.5f);
        Write("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""" + " ", data);
        using SafetensorsFile file = SafetensorsFile.Open(_folder.File("x.safetensors"));
        Assert.Equal(1.5f, file.Read("a")[1].item<float>());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 15)] // truncated
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 20)] // more data than described
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12)] // overlap
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12)] // hole
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}""", 16)] // shape and size differ
    [InlineData("""{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0)] // product overflows 64 bits
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)] // one name twice
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16,32]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":4,"data_offsets":[0,16]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,16]}}""", 16)]
    [InlineData("""[1,2]""", 0)]
    [InlineData("""{"a":""", 0)]
    public void A_file_whose_header_lies_is_refused(string header, int dataBytes)
    {
        Write(header, new byte[dataBytes]);
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(_folder.File("x.safetensors")));
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(3UL)]
    public void A_header_length_that_cannot_be_is_refused(ulong length)
    {
        byte[] file = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        File.WriteAllBytes(_folder.File("x.safetensors"), file);
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(_folder.File("x.safetensors")));
        File.WriteAllBytes(_folder.File("x.safetensors"), file[..5]);
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(_folder.File("x.safetensors")));
    }

    [Fact]
    public void An_eight_bit_float_file_says_what_it_is_and_what_to_do()
    {
        Write("""{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}""", new byte[4]);
        string message = Assert.Throws<UnsupportedModelException>(() => SafetensorsFile.Open(_folder.File("x.safetensors"))).Message;
        Assert.Contains("F8_E4M3", message);
        Assert.Contains("BF16", message);
    }

    private void Write(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)json.Length);
        File.WriteAllBytes(_folder.File("x.safetensors"), [.. prefix, .. json, .. data]);
    }
}
