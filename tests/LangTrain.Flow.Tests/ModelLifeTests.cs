using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LangTrain.Testing;

namespace LangTrain.Flow.Tests;

/// <summary>What becomes of a model after its training, as its owner meets it: checkpoints, exports, uploads, training on, deletion. One start of the platform.</summary>
public sealed class ModelLifeTests
{
    private const string Question = "The capital of country number 3 is";
    // A short lease, and uploads in parts put together after the request, as large ones are.
    private static readonly Dictionary<string, string> Settings = new() { ["LANGTRAIN_LEASE_SECONDS"] = "6", ["LANGTRAIN_COMPLETE_IN_REQUEST_MB"] = "0" };

    [Fact]
    public async Task A_trained_model_is_taken_away_brought_back_trained_on_and_deleted()
    {
        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            await using var host = await LocalHostProcess.StartAsync(folder, LocalHostProcess.FreeUrl(), Settings);
            var api = host.Api;
            var file = await UploadInPartsAsync(api, TinyModel.Rows(32));
            var preview = await api.GetAsync($"files/{file}/preview?model={TinyModel.Id}&rows=2");
            var example = preview["rows"]![0]!["examples"]![0]!;
            Assert.Equal(" city number 0.", example["segments"]!.AsArray().Single(s => s!["trained"]!.GetValue<bool>())!["text"]!.GetValue<string>()[..15]);
            Assert.True((await api.PostAsync($"files/{file}/validate", null))["valid"]!.GetValue<bool>());

            // 1. A job, and its checkpoints as models.
            var jobId = (await api.PostAsync("fine-tunes", TinyModel.Job(file, epochs: 4)))["id"]!.GetValue<string>();
            var model = (await api.WaitForJobAsync(jobId, TimeSpan.FromMinutes(3), "completed"))["fine_tuned_model"]!.GetValue<string>();
            var answer = await api.CompleteAsync(model, Question, 8);
            var told = (await api.EventsAsync(jobId)).Where(e => e["type"]!.GetValue<string>() == "checkpoint").Select(e => e["data"]!["model"]!.GetValue<string>()).ToList();
            Assert.Equal(answer, await api.CompleteAsync(told[^1], Question, 8));
            Assert.Equal("adapter", (await api.GetAsync("models/" + told[^1]))["lineage"]!["kind"]!.GetValue<string>());

            // 2. Exports: the worker dies once on the way.
            Signals.Send(host.Children().Single(child => ProcessTree.CommandOf(child).Contains("LangTrain.Worker", StringComparison.Ordinal)), Signals.Kill);
            var peft = await ExportAsync(api, model, "peft", null);
            Assert.Equal(peft["id"]!.GetValue<string>(), (await api.PostAsync($"models/{model}/export", new JsonObject { ["format"] = "peft" }))["id"]!.GetValue<string>());
            var merged = await ExportAsync(api, model, "merged", "f32");
            var gguf = await ExportAsync(api, model, "gguf", "q8_0");
            Assert.Equal("GGUF", Encoding.ASCII.GetString((await DownloadAsync(gguf)).Single().Value[..4]));

            // 3. Both come back and answer as before.
            var adapterZip = (await DownloadAsync(peft))["adapter.zip"];
            var adapter = await api.UploadModelAsync(adapterZip, "adapter.zip", TinyModel.Id);
            Assert.Equal(answer, await api.CompleteAsync(await UntilCheckedAsync(api, adapter, "ready"), Question, 8));
            var folderZip = Zip(await DownloadAsync(merged));
            var whole = await UntilCheckedAsync(api, await api.UploadModelAsync(folderZip, "model.zip"), "ready");
            Assert.Equal(answer, await api.CompleteAsync(whole, Question, 8));

            // As PyTorch would have saved it, too.
            var files = await DownloadAsync(merged);
            var pickled = files.Where(file => file.Key != "model.safetensors").Append(new("pytorch_model.bin", ToTorch(files["model.safetensors"]))).ToDictionary();
            var torch = await UntilCheckedAsync(api, await api.UploadModelAsync(Zip(pickled), "model.zip"), "ready");
            Assert.Equal(answer, await api.CompleteAsync(torch, Question, 8));

            // 4. What is wrong is said.
            files["model.safetensors"][^2] = 0xFF;
            files["model.safetensors"][^1] = 0x7F;
            var invalid = await UntilCheckedAsync(api, await api.UploadModelAsync(Zip(files), "model.zip"), "invalid");
            Assert.Contains("NaN or infinity", (await api.GetAsync("models/" + invalid))["status_reason"]!.GetValue<string>(), StringComparison.Ordinal);
            var refused = await api.SendAsync(HttpMethod.Post, "chat/completions", new JsonObject { ["model"] = invalid, ["messages"] = new JsonArray() });
            Assert.False(refused.IsSuccessStatusCode);

            // 5. Training goes on from the adapter.
            var second = (await api.PostAsync("fine-tunes", TinyModel.Job(file, model: model)))["id"]!.GetValue<string>();
            var child = (await api.WaitForJobAsync(second, TimeSpan.FromMinutes(3), "completed"))["fine_tuned_model"]!.GetValue<string>();
            var lineage = (await api.GetAsync("models/" + child))["lineage"]!;
            Assert.Equal((TinyModel.Id, model), (lineage["base_model"]!.GetValue<string>(), lineage["parent"]!.GetValue<string>()));

            // 6. Deleted, files and exports too; what came of it stays.
            var link = peft["files"]![0]!["url"]!.GetValue<string>();
            Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Delete, "models/" + model)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync(HttpMethod.Get, "models/" + model)).StatusCode);
            using var client = new HttpClient();
            for (var tries = 0; (await client.GetAsync(link)).StatusCode != HttpStatusCode.NotFound; tries++)
            {
                Assert.True(tries < 100, "The export's file is still there.");
                await Task.Delay(100);
            }

            Assert.NotEmpty(await api.CompleteAsync(child, Question, 8));
            Assert.DoesNotContain("sig=", host.Output + string.Concat(Directory.GetFiles(Path.Combine(folder, "logs"), "*.log").Select(ReadShared)), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The first part straight to storage, the second through the API.</summary>
    private static async Task<string> UploadInPartsAsync(Api api, IEnumerable<JsonObject> rows)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => row.ToJsonString() + "\n")));
        var upload = (await api.PostAsync("uploads", new JsonObject { ["filename"] = "train.jsonl", ["purpose"] = "fine-tune", ["bytes"] = bytes.Length, ["mime_type"] = "text/jsonl" }))["id"]!.GetValue<string>();
        var direct = await api.PostAsync($"uploads/{upload}/parts", new JsonObject { ["direct"] = true });
        using var client = new HttpClient();
        using var put = new HttpRequestMessage(HttpMethod.Put, direct["direct"]!["url"]!.GetValue<string>()) { Content = new ByteArrayContent(bytes[..100]) };
        foreach (var (name, value) in direct["direct"]!["headers"]!.AsObject())
        {
            put.Headers.Add(name, value!.GetValue<string>());
        }

        Assert.Equal(HttpStatusCode.Created, (await client.SendAsync(put)).StatusCode);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes[100..]), "data", "part" } };
        var second = await api.PostFormAsync($"uploads/{upload}/parts", form);
        var parts = new JsonArray(direct["id"]!.GetValue<string>(), second["id"]!.GetValue<string>());
        var file = (await api.PostAsync($"uploads/{upload}/complete", new JsonObject { ["part_ids"] = parts }))["file"]!;
        Assert.Equal("uploaded", file["status"]!.GetValue<string>());
        for (var tries = 0; file["status"]!.GetValue<string>() == "uploaded"; tries++)
        {
            Assert.True(tries < 300, "The parts were not put together in half a minute.");
            await Task.Delay(100);
            file = await api.GetAsync("files/" + file["id"]!.GetValue<string>());
        }

        Assert.Equal("processed", file["status"]!.GetValue<string>());
        return file["id"]!.GetValue<string>();
    }

    private static async Task<JsonObject> ExportAsync(Api api, string model, string format, string? dtype)
    {
        var export = await api.PostAsync($"models/{model}/export", dtype is null ? new JsonObject { ["format"] = format } : new JsonObject { ["format"] = format, ["dtype"] = dtype });
        for (var tries = 0; tries < 600; tries++)
        {
            switch (export["status"]!.GetValue<string>())
            {
                case "completed": return export;
                case "failed": Assert.Fail(export.ToJsonString()); break;
                default: await Task.Delay(100); break;
            }

            export = await api.GetAsync($"models/{model}/exports/{export["id"]!.GetValue<string>()}");
        }

        throw new TimeoutException(export.ToJsonString());
    }

    private static async Task<Dictionary<string, byte[]>> DownloadAsync(JsonObject export)
    {
        using var client = new HttpClient();
        var files = new Dictionary<string, byte[]>();
        foreach (var file in export["files"]!.AsArray())
        {
            files.Add(file!["name"]!.GetValue<string>(), await client.GetByteArrayAsync(file["url"]!.GetValue<string>()));
        }

        return files;
    }

    private static async Task<string> UntilCheckedAsync(Api api, JsonObject model, string expected)
    {
        var id = model["id"]!.GetValue<string>();
        for (var tries = 0; model["status"]!.GetValue<string>() == "validating"; tries++)
        {
            Assert.True(tries < 600, "The model was not checked in a minute.");
            await Task.Delay(100);
            model = await api.GetAsync("models/" + id);
        }

        Assert.True(expected == model["status"]!.GetValue<string>(), model.ToJsonString());
        return id;
    }

    private static byte[] ToTorch(byte[] safetensors)
    {
        var header = 8 + BitConverter.ToInt32(safetensors);
        var entries = JsonNode.Parse(safetensors.AsSpan(8, header - 8))!.AsObject().Where(entry => entry.Key != "__metadata__");
        using var file = new MemoryStream();
        OldTorchFile.Write(file, [.. entries.Select(entry =>
        {
            Assert.Equal("F32", entry.Value!["dtype"]!.GetValue<string>());
            var offsets = entry.Value["data_offsets"]!.AsArray().Select(offset => header + offset!.GetValue<int>()).ToArray();
            return (entry.Key, entry.Value["shape"]!.AsArray().Select(length => length!.GetValue<long>()).ToArray(), safetensors[offsets[0]..offsets[1]]);
        })]);
        return file.ToArray();
    }

    private static byte[] Zip(Dictionary<string, byte[]> files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create))
        {
            foreach (var (name, content) in files)
            {
                using var entry = zip.CreateEntry("my-model/" + name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
