using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Models;

namespace LangTrain.Core.Tests.Models;

public sealed class ModelArchiveTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("langtrain-archive-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("model.zip")]
    [InlineData("model.tar")]
    [InlineData("model.tar.gz")]
    [InlineData("model.tgz")]
    public async Task Model_files_of_a_folder_come_out_and_nothing_else(string name)
    {
        var longName = $"my-model/{new string('s', 120)}.safetensors";
        var files = await UnpackAsync(name, ("my-model/config.json", "{}"), ("my-model/tokenizer.json", "t"), (longName, "w"),
            ("my-model/model.py", "import os"), ("my-model/.gitattributes", "x"), ("my-model/onnx/config.json", "other"), ("my-model/README.md", "x"));
        Assert.Equal(["config.json", longName[9..], "tokenizer.json"], files);
        Assert.Equal("{}", await File.ReadAllTextAsync(Path.Combine(_folder, "out", "config.json")));
    }

    [Theory]
    [InlineData("../config.json")]
    [InlineData("/etc/config.json")]
    [InlineData("a/../../config.json")]
    [InlineData("a\\config.json")]
    [InlineData("c:config.json")]
    [InlineData("a//config.json")]
    public async Task A_path_that_leads_elsewhere_is_refused(string path)
    {
        foreach (var name in (string[])["model.zip", "model.tar"])
        {
            Assert.Contains("not a possible path", await RefusalAsync(name, ("config.json", "{}"), (path, "x")), StringComparison.Ordinal);
        }

        Assert.False(File.Exists(Path.Combine(_folder, "config.json")));
    }

    [Theory]
    [InlineData("model.zip")]
    [InlineData("model.tar")]
    public async Task Two_files_of_one_name_are_refused_whatever_their_case(string name) =>
        Assert.Contains("twice", await RefusalAsync(name, ("config.json", "{}"), ("Config.json", "{}")), StringComparison.Ordinal);

    [Fact]
    public async Task Links_are_refused()
    {
        var tar = Path.Combine(_folder, "a.tar");
        await using (var writer = new TarWriter(File.Create(tar)))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "config.json") { LinkName = "/etc/passwd" });
        }

        Assert.Contains("link", (await Assert.ThrowsAsync<InvalidDataException>(() => ModelArchive.UnpackAsync(tar, "a.tar", Out()))).Message, StringComparison.Ordinal);

        var zip = Path.Combine(_folder, "a.zip");
        await using (var archive = await ZipFile.OpenAsync(zip, ZipArchiveMode.Create))
        {
            var entry = archive.CreateEntry("config.json");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            await using var content = await entry.OpenAsync();
            await content.WriteAsync("/etc/passwd"u8.ToArray());
        }

        Assert.Contains("link", (await Assert.ThrowsAsync<InvalidDataException>(() => ModelArchive.UnpackAsync(zip, "a.zip", Out()))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.zip")]
    [InlineData("model.tar.gz")]
    public async Task A_bomb_stops_at_the_limit_and_not_at_its_end(string name)
    {
        var path = Path.Combine(_folder, name);
        await WriteAsync(path, ("config.json", "{}"), ("model.safetensors", new string('\0', 8 << 20)), ("notes.md", new string('\0', 8 << 20)));
        Assert.True(new FileInfo(path).Length < 1_000_000);
        var refusal = await Assert.ThrowsAsync<InvalidDataException>(() => ModelArchive.UnpackAsync(path, name, Out(), maxBytes: 1 << 20));
        Assert.Contains("larger than", refusal.Message, StringComparison.Ordinal);
        Assert.True(Directory.GetFiles(Path.Combine(_folder, "out")).Sum(file => new FileInfo(file).Length) <= 1 << 20);
    }

    [Fact]
    public async Task A_tar_that_claims_a_huge_header_is_refused_without_making_room_for_it()
    {
        // A pax header "of 1 GiB".
        var header = new byte[512];
        Encoding.ASCII.GetBytes("x").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(Convert.ToString(1L << 30, 8).PadLeft(11, '0')).CopyTo(header, 124);
        header[156] = (byte)'x';
        Array.Fill(header, (byte)' ', 148, 8);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0").CopyTo(header, 148);
        var path = Path.Combine(_folder, "a.tar");
        await File.WriteAllBytesAsync(path, header);
        var before = GC.GetTotalAllocatedBytes();
        Assert.Contains("extended header", (await Assert.ThrowsAsync<InvalidDataException>(() => ModelArchive.UnpackAsync(path, "a.tar", Out()))).Message, StringComparison.Ordinal);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 50_000_000);
    }

    [Theory]
    [InlineData("model.zip")]
    [InlineData("model.tar")]
    [InlineData("model.tar.gz")]
    public async Task What_is_no_archive_or_was_cut_off_is_refused(string name)
    {
        var path = Path.Combine(_folder, name);
        await WriteAsync(path, ("config.json", "{}"), ("model.safetensors", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4000))));
        var whole = await File.ReadAllBytesAsync(path);
        foreach (var bytes in (byte[][])[[], "hello, this is no archive"u8.ToArray(), whole[..(whole.Length * 2 / 3)], whole[..(whole.Length / 9)]])
        {
            await File.WriteAllBytesAsync(path, bytes);
            await Assert.ThrowsAnyAsync<InvalidDataException>(() => ModelArchive.UnpackAsync(path, name, Out()));
        }
    }

    [Fact]
    public void Weights_without_their_configuration_are_refused_with_how_to_upload()
    {
        var refusal = Assert.Throws<ApiException>(() => UploadedModelNames.Require(["model.bin"]));
        Assert.Equal((400, "model_files_missing"), (refusal.Status, refusal.Problems[0].Code));
        Assert.Contains("config.json", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(415, Assert.Throws<ApiException>(() => UploadedModelNames.Require(["model.pt"])).Status);
        Assert.Equal(415, Assert.Throws<ApiException>(() => UploadedModelNames.Require(["../config.json"])).Status);
        Assert.Equal(400, Assert.Throws<ApiException>(() => UploadedModelNames.Require(["a.zip", "config.json"])).Status);
        UploadedModelNames.Require(["config.json", "tokenizer.json", "pytorch_model.bin"]);
    }

    private string Out()
    {
        var folder = Path.Combine(_folder, "out");
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return Directory.CreateDirectory(folder).FullName;
    }

    private async Task<string[]> UnpackAsync(string name, params (string Name, string Content)[] files)
    {
        var path = Path.Combine(_folder, name);
        await WriteAsync(path, files);
        var folder = Out();
        await ModelArchive.UnpackAsync(path, name, folder);
        return [.. Directory.GetFileSystemEntries(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
    }

    private async Task<string> RefusalAsync(string name, params (string Name, string Content)[] files) =>
        (await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(name, files))).Message;

    private static async Task WriteAsync(string path, params (string Name, string Content)[] files)
    {
        await using var file = File.Create(path);
        if (path.EndsWith(".zip", StringComparison.Ordinal))
        {
            await using var zip = new ZipArchive(file, ZipArchiveMode.Create);
            foreach (var (name, content) in files)
            {
                await using var entry = await zip.CreateEntry(name).OpenAsync();
                await entry.WriteAsync(Encoding.UTF8.GetBytes(content));
            }

            return;
        }

        await using Stream target = path.EndsWith(".tar", StringComparison.Ordinal) ? file : new GZipStream(file, CompressionLevel.Fastest);
        await using var tar = new TarWriter(target, TarEntryFormat.Gnu);
        foreach (var (name, content) in files)
        {
            using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(content));
            // Both ways of writing long names.
            await tar.WriteEntryAsync(name.Length % 2 == 0
                ? new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = bytes }
                : new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = bytes });
        }
    }
}
