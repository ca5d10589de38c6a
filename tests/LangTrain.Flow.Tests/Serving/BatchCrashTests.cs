using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests.Serving;

/// <summary>The whole host killed for real in the middle of a batch.</summary>
public sealed class BatchCrashTests
{
    private const int Lines = 80;

    [Fact]
    public async Task A_batch_survives_the_death_of_the_host_with_one_answer_a_line()
    {
        var folder = LocalHostProcess.NewDataFolder();
        var url = LocalHostProcess.FreeUrl();
        try
        {
            string id;
            await using (var host = await LocalHostProcess.StartAsync(folder, url))
            {
                var file = await UploadAsync(host);
                var wish = new JsonObject { ["input_file_id"] = file, ["endpoint"] = "/v1/completions", ["completion_window"] = "24h" };
                id = (await host.Api.PostAsync("batches", wish))["id"]!.GetValue<string>();
                await UntilAsync(host, id, batch => batch["request_counts"]!["completed"]!.GetValue<int>() is > 5 and < Lines);
                await host.KillAsync();
            }

            await using var again = await LocalHostProcess.StartAsync(folder, url);
            var ended = await UntilAsync(again, id, batch => batch["status"]!.GetValue<string>() is "completed" or "failed" or "expired");
            Assert.Equal("completed", ended["status"]!.GetValue<string>());
            using var content = await again.Api.SendAsync(HttpMethod.Get, $"files/{ended["output_file_id"]!.GetValue<string>()}/content");
            var ids = (await content.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!["custom_id"]!.GetValue<string>());
            Assert.Equal(Enumerable.Range(0, Lines).Select(i => $"line-{i}"), ids);
            Assert.Equal((Lines, null), (ended["request_counts"]!["completed"]!.GetValue<int>(), ended["error_file_id"]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<JsonObject> UntilAsync(LocalHostProcess host, string id, Func<JsonObject, bool> isSo)
    {
        for (var end = DateTime.UtcNow + TimeSpan.FromMinutes(3); DateTime.UtcNow < end; await Task.Delay(100))
        {
            if (await host.Api.GetAsync($"batches/{id}") is { } batch && isSo(batch))
            {
                return batch;
            }
        }

        throw new TimeoutException($"The batch did not come so far: {await host.Api.GetAsync($"batches/{id}")}");
    }

    private static async Task<string> UploadAsync(LocalHostProcess host)
    {
        // No end-of-sequence token, so that every line takes its time.
        var lines = Enumerable.Range(0, Lines).Select(i => new JsonObject
        {
            ["custom_id"] = $"line-{i}", ["method"] = "POST", ["url"] = "/v1/completions",
            ["body"] = new JsonObject
            {
                ["model"] = TinyModel.Id, ["prompt"] = $"Number {i} is", ["max_tokens"] = 400, ["logit_bias"] = new JsonObject { ["1"] = -100, ["3"] = -100 },
            },
        }.ToJsonString());
        using var client = new HttpClient { BaseAddress = host.BaseUrl };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.ApiKey);
        using var form = new MultipartFormDataContent
        {
            { new StringContent("batch"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "file", "lines.jsonl" },
        };
        using var response = await client.PostAsync(new Uri("files", UriKind.Relative), form);
        return JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }
}
