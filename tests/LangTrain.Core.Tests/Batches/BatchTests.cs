using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Batches;
using LangTrain.Core.Generation;
using LangTrain.Core.Webhooks;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Batches;

public sealed class BatchTests
{
    private static readonly string[] Ten = [.. Enumerable.Range(0, 10).Select(i => BatchRun.Line($"line-{i}"))];

    [Fact]
    public async Task Every_line_has_one_answer_in_order_and_runs_at_the_lower_priority()
    {
        var run = new BatchRun();
        run.Worker.Script = item => ScriptedGenerationWorker.Answer(item, "about " + item.Prompt);
        var batch = await run.RunAsync(await run.SubmitAsync(Ten));

        Assert.Equal((BatchStatus.Completed, 10, null), (batch.Status, batch.Total, batch.ErrorFileId));
        Assert.Equal((10, 0), (batch.Ended.Completed, batch.Ended.Failed));
        var lines = await run.LinesAsync(batch.OutputFileId);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"line-{i}"), lines.Select(line => line.GetProperty("custom_id").GetString()));
        var response = lines[3].GetProperty("response");
        Assert.Equal(200, response.GetProperty("status_code").GetInt32());
        Assert.Equal("about line-3", response.GetProperty("body").GetProperty("choices")[0].GetProperty("text").GetString());
        Assert.Equal(JsonValueKind.Null, lines[3].GetProperty("error").ValueKind);
        Assert.All(run.Worker.Requests, item => Assert.Equal(GenerateWorkItem.Batch, item.Priority));
        // Nothing is left but the input and the output.
        Assert.Equal(2, await run.Blobs.ListAsync("datasets", "").CountAsync());
    }

    [Fact]
    public async Task The_owners_webhook_hears_of_the_end_once()
    {
        var run = new BatchRun();
        await run.Webhooks.CreateAsync(new Webhook
        {
            Id = "wh-1", AccountId = Some.AccountId, Url = "https://example.com/", Events = [WebhookEvents.BatchCompleted], CreatedAt = Some.Moment,
        });
        var batch = await run.RunAsync(await run.SubmitAsync(Ten));
        await run.RunAsync(batch);
        var call = (await run.WebhookCalls.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value;
        // Told again before the first call was tried, the same delivery is asked for once more: somebody may have died before asking.
        Assert.Equal(call, (await run.WebhookCalls.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value);
        Assert.Null(await run.WebhookCalls.ReceiveAsync(TimeSpan.FromMinutes(1)));
        var delivery = (await run.Webhooks.FindDeliveryAsync(call.AccountId, call.WebhookId, call.DeliveryId))!.Value;
        Assert.Contains($"\"id\":\"{batch.Id}\"", delivery.Payload, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_line_fails_alone()
    {
        var run = new BatchRun();
        var batch = await run.RunAsync(await run.SubmitAsync(
            BatchRun.Line("good"), BatchRun.Line("hot", ",\"temperature\":9"), BatchRun.Line("lost").Replace("langtrain/tiny", "no/model", StringComparison.Ordinal), BatchRun.Line("streamed", ",\"stream\":true")));

        Assert.Equal((BatchStatus.Completed, 1, 3), (batch.Status, batch.Ended.Completed, batch.Ended.Failed));
        Assert.Equal("good", Assert.Single(await run.LinesAsync(batch.OutputFileId)).GetProperty("custom_id").GetString());
        var errors = await run.LinesAsync(batch.ErrorFileId);
        Assert.Equal([400, 404, 400], errors.Select(line => line.GetProperty("response").GetProperty("status_code").GetInt32()));
        Assert.Equal("temperature", errors[0].GetProperty("response").GetProperty("body").GetProperty("error").GetProperty("param").GetString());
    }

    [Theory]
    [InlineData("""{"custom_id":"a" """, "invalid_json_line")]
    [InlineData("""[1]""", "invalid_json_line")]
    [InlineData("""{"method":"POST","url":"/v1/completions","body":{}}""", "missing_required_parameter")]
    [InlineData("""{"custom_id":"first","method":"POST","url":"/v1/completions","body":{}}""", "duplicate_custom_id")]
    [InlineData("""{"custom_id":"b","method":"GET","url":"/v1/completions","body":{}}""", "invalid_method")]
    [InlineData("""{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{}}""", "invalid_url")]
    [InlineData("""{"custom_id":"b","method":"POST","url":"/v1/completions","body":[]}""", "missing_required_parameter")]
    public async Task A_malformed_line_fails_the_batch_and_is_named(string line, string code)
    {
        var run = new BatchRun();
        var batch = await run.RunAsync(await run.SubmitAsync(BatchRun.Line("first"), "", line));

        Assert.Equal(BatchStatus.Failed, batch.Status);
        var problem = Assert.Single(batch.Problems);
        Assert.Equal((code, 3L), (problem.Code, problem.Line));
        Assert.Empty(run.Worker.Requests);
        Assert.Equal(1, await run.Blobs.ListAsync("datasets", "").CountAsync());
    }

    [Fact]
    public async Task A_death_at_any_write_repeats_no_line_that_has_ended_and_loses_none()
    {
        // First without deaths, to count the writes; then once with a death at each.
        var writes = 0;
        var calm = new BatchRun(new BatchOptions { ChunkLines = 4, AtOnce = 1 });
        calm.Blobs.BeforeWrite = (_, _) => writes++;
        await calm.RunAsync(await calm.SubmitAsync(Ten));
        Assert.InRange(writes, 10, 40);
        var most = 0;
        for (var death = 2; death <= writes; death++)
        {
            var run = new BatchRun(new BatchOptions { ChunkLines = 4, AtOnce = 1 });
            var (count, stored, asked) = (0, new HashSet<string>(), 0);
            run.Blobs.BeforeWrite = (_, name) =>
            {
                if (++count == death)
                {
                    (stored, asked) = (run.StoredLines(), run.Worker.Requests.Count);
                    throw new IOException($"Killed at write {death}, {name}");
                }
            };
            var batch = await run.RunAsync(await run.SubmitAsync(Ten));

            Assert.Equal((BatchStatus.Completed, 10), (batch.Status, batch.Ended.Completed));
            var ids = (await run.LinesAsync(batch.OutputFileId)).Select(line => line.GetProperty("custom_id").GetString()).ToArray();
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"line-{i}"), ids);
            Assert.DoesNotContain(run.Worker.Requests.Skip(asked), item => stored.Contains(item.Prompt!));
            most = Math.Max(most, stored.Count);
        }

        Assert.True(most > 4, "some death came late enough for lines of several chunks to be stored");
    }

    [Fact]
    public async Task What_a_cancel_comes_before_is_told_as_cancelled()
    {
        var run = new BatchRun();
        var batch = await run.SubmitAsync(Ten);
        await run.ValidateAsync(batch);
        await run.StepAsync(batch);
        Assert.Equal(BatchStatus.Cancelling, (await run.CancelAsync(batch)).Status);

        batch = await run.RunAsync(batch);

        Assert.Equal((BatchStatus.Cancelled, 4, 6), (batch.Status, batch.Ended.Completed, batch.Ended.Failed));
        Assert.Equal(4, (await run.LinesAsync(batch.OutputFileId)).Count);
        Assert.All(await run.LinesAsync(batch.ErrorFileId), line => Assert.Equal("batch_cancelled", line.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal(BatchStatus.Cancelled, (await run.CancelAsync(batch)).Status);
    }

    [Fact]
    public async Task Workers_that_are_away_are_waited_for_until_the_window_ends()
    {
        var time = new ManualTimeProvider();
        var run = new BatchRun(time: time);
        var asked = 0;
        run.Worker.Script = item => ++asked <= 3 ? throw new GenerationUnavailableException("away") : ScriptedGenerationWorker.Answer(item, "x");
        var batch = await run.RunAsync(await run.SubmitAsync(Ten));
        Assert.Equal((BatchStatus.Completed, 10), (batch.Status, batch.Ended.Completed));

        run.Worker.Script = item => item.Prompt == "line-1" ? throw new GenerationUnavailableException("away") : ScriptedGenerationWorker.Answer(item, "x");
        batch = await run.SubmitAsync(BatchRun.Line("line-0"), BatchRun.Line("line-1"));
        await run.ValidateAsync(batch);
        Assert.True((await run.StepAsync(batch)).WaitSeconds > 0);
        time.Advance(TimeSpan.FromHours(24));
        batch = await run.RunAsync(batch);
        Assert.Equal((BatchStatus.Expired, 1, 1), (batch.Status, batch.Ended.Completed, batch.Ended.Failed));
        Assert.Equal("batch_expired", Assert.Single(await run.LinesAsync(batch.ErrorFileId)).GetProperty("error").GetProperty("code").GetString());
    }
}
