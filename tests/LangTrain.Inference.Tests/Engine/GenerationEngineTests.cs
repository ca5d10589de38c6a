namespace LangTrain.Inference.Tests.Engine;

public class GenerationEngineTests
{
    [Fact]
    public async Task Rows_that_join_and_leave_generate_what_they_generate_alone()
    {
        var model = new ArithmeticTokenModel(slots: 3);
        await using var engine = new GenerationEngine(model, new EngineOptions { PrefillChunkTokens = 4, IdlePrefillChunkTokens = 5 });
        var requests = Enumerable.Range(0, 12).Select(i => Some.Request([.. Enumerable.Range(i, 1 + i * 3 % 17)], 5 + i)).ToList();
        var streams = engine.Submit(requests);
        var texts = await Task.WhenAll(streams.Select(s => s.ReadAllAsync().IdsAsync()));
        for (var i = 0; i < requests.Count; i++)
        {
            Assert.Equal(model.Greedy(requests[i].PromptTokens, 5 + i), texts[i]);
            Assert.Equal(FinishReason.Length, streams[i].FinishReason);
        }
        Assert.Contains(model.Steps, s => s.Length == 3);
    }

    [Fact]
    public async Task A_long_prompt_is_read_in_chunks_while_others_generate()
    {
        var model = new ArithmeticTokenModel(slots: 2);
        await using var engine = new GenerationEngine(model, new EngineOptions { PrefillChunkTokens = 4, IdlePrefillChunkTokens = 64 });
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        model.BeforeStep = _ =>
        {
            if (model.Steps.Count < 3)
                return;
            entered.Set();
            gate.Wait(TimeSpan.FromSeconds(10));
        };
        var quick = engine.Submit(Some.Request([1, 2], 20));
        Assert.True(entered.Wait(TimeSpan.FromSeconds(10)));
        var slow = engine.Submit(Some.Request([.. Enumerable.Range(0, 30)], 3));
        gate.Set();
        await Task.WhenAll(quick.ReadAllAsync().IdsAsync(), slow.ReadAllAsync().IdsAsync());
        // Some step reads 4 tokens of the long prompt and makes one of the short row's.
        Assert.Contains(model.Steps, s => s is [1, 4]);
        Assert.DoesNotContain(model.Steps, s => s is [1, > 4]);
    }

    [Fact]
    public async Task A_seed_gives_the_same_tokens_in_any_company()
    {
        var model = new ArithmeticTokenModel(slots: 4);
        var sampling = new SamplingOptions { Seed = 7, Temperature = 0.9f, TopP = 0.9f };
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var alone = await engine.Submit(Some.Request([3, 4], 20) with { Sampling = sampling }).ReadAllAsync().IdsAsync();
        var crowd = Enumerable.Range(0, 7).Select(i => Some.Request([3, 4], 20) with { Sampling = sampling with { Seed = i == 4 ? 7 : 100 + i } }).ToList();
        var texts = await Task.WhenAll(crowd.Select(r => engine.Submit(r).ReadAllAsync().IdsAsync()));
        Assert.Equal(alone, texts[4]);
        Assert.True(texts.Count(t => t.SequenceEqual(alone)) == 1, "other seeds give other texts");
    }

    [Fact]
    public async Task A_stop_token_ends_the_row_and_is_not_given_out()
    {
        var model = new ArithmeticTokenModel();
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var expected = model.Greedy([5], 20);
        var stop = expected[6];
        var stream = engine.Submit(Some.Request([5], 20) with { StopTokenIds = new HashSet<int> { stop } });
        Assert.Equal(expected[..expected.IndexOf(stop)], await stream.ReadAllAsync().IdsAsync());
        Assert.Equal(FinishReason.Stop, stream.FinishReason);
    }

    [Fact]
    public async Task A_cancelled_row_frees_its_slot_within_a_step()
    {
        var model = new ArithmeticTokenModel(slots: 1, slotTokens: 100_000);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var endless = engine.Submit(Some.Request([1], 90_000));
        var waiting = engine.Submit(Some.Request([2], 3));
        await foreach (var _ in endless.ReadAllAsync())
            break; // Leaving the loop is what a client that goes away does.
        Assert.Equal(model.Greedy([2], 3), await waiting.ReadAllAsync().IdsAsync());
        Assert.True(model.Steps.Count < 80_000);
        await Assert.ThrowsAsync<OperationCanceledException>(() => endless.ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task A_token_cancels_a_waiting_row_and_a_running_one()
    {
        var model = new ArithmeticTokenModel(slots: 1, slotTokens: 1_000_000);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        using var cancel = new CancellationTokenSource();
        var running = engine.Submit(Some.Request([1], 900_000), cancel.Token);
        var waiting = engine.Submit(Some.Request([1], 900_000), cancel.Token);
        var reader = running.ReadAllAsync().GetAsyncEnumerator(CancellationToken.None);
        Assert.True(await reader.MoveNextAsync());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.ReadAllAsync().IdsAsync());
        Assert.Equal(0, engine.QueueLength);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await reader.MoveNextAsync())
            {
            }
        });
        Assert.Equal(model.Greedy([2], 3), await engine.Submit(Some.Request([2], 3)).ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task A_full_queue_refuses_all_of_a_request_or_none()
    {
        var model = new ArithmeticTokenModel(slots: 1);
        await using var engine = new GenerationEngine(model, new EngineOptions { QueueCapacity = 2 });
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        model.BeforeStep = _ =>
        {
            entered.Set();
            gate.Wait(TimeSpan.FromSeconds(10));
        };
        var first = engine.Submit(Some.Request([1], 2));
        Assert.True(entered.Wait(TimeSpan.FromSeconds(10)));
        var second = engine.Submit(Some.Request([2], 2));
        var refused = Assert.Throws<EngineQueueFullException>(() => engine.Submit([Some.Request([3], 2), Some.Request([4], 2)]));
        Assert.Equal(1, refused.QueueLength);
        Assert.True(refused.RetryAfter >= TimeSpan.FromSeconds(1));
        var third = engine.Submit(Some.Request([3], 2));
        gate.Set();
        foreach (var (stream, prompt) in new[] { (first, 1), (second, 2), (third, 3) })
            Assert.Equal(model.Greedy([prompt], 2), await stream.ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task A_batch_row_gives_its_slot_to_an_interactive_one_and_comes_back_the_same()
    {
        var model = new ArithmeticTokenModel(slots: 1);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        model.BeforeStep = _ =>
        {
            if (model.Steps.Count < 5)
                return;
            entered.Set();
            gate.Wait(TimeSpan.FromSeconds(10));
        };
        var batch = engine.Submit(Some.Request([1, 2, 3], 40) with { Priority = RequestPriority.Batch });
        Assert.True(entered.Wait(TimeSpan.FromSeconds(10)));
        var interactive = engine.Submit(Some.Request([9, 8], 4));
        gate.Set();
        Assert.Equal(model.Greedy([9, 8], 4), await interactive.ReadAllAsync().IdsAsync());
        Assert.Equal(model.Greedy([1, 2, 3], 40), await batch.ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task An_account_that_holds_every_slot_gives_one_to_the_next_account()
    {
        var model = new ArithmeticTokenModel(slots: 3, slotTokens: 3000);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        model.BeforeStep = _ =>
        {
            if (model.Steps.Count < 5)
                return;
            entered.Set();
            gate.Wait(TimeSpan.FromSeconds(10));
        };
        var greedy = Enumerable.Range(0, 5).Select(i => engine.Submit(Some.Request([1, i], 2000) with { FairnessKey = "first" })).ToList();
        Assert.True(entered.Wait(TimeSpan.FromSeconds(10)));
        var second = engine.Submit(Some.Request([9, 8], 6) with { FairnessKey = "second" });
        var third = engine.Submit(Some.Request([7, 8], 6) with { FairnessKey = "third" });
        gate.Set();
        Assert.Equal(model.Greedy([9, 8], 6), await second.ReadAllAsync().IdsAsync());
        Assert.Equal(model.Greedy([7, 8], 6), await third.ReadAllAsync().IdsAsync());
        Assert.True(model.Steps.Count < 1000, "nobody waited for the end of a long answer");
        foreach (var (stream, i) in greedy.Select((s, i) => (s, i)))
            Assert.Equal(model.Greedy([1, i], 2000), await stream.ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task Rows_of_a_full_batch_advance_together()
    {
        var model = new ArithmeticTokenModel(slots: 64);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var counts = new int[64];
        var spread = 0;
        var streams = engine.Submit([.. Enumerable.Range(0, 64).Select(i => Some.Request([.. Enumerable.Range(i % 40, 1 + i % 9)], 30))]);
        model.BeforeStep = rows =>
        {
            foreach (var row in rows)
                counts[row.Slot] = row.Owner.Generated;
            if (rows.Count == 64)
                spread = Math.Max(spread, counts.Max() - counts.Min());
        };
        var texts = await Task.WhenAll(streams.Select(s => s.ReadAllAsync().IdsAsync()));
        for (var i = 0; i < 64; i++)
            Assert.Equal(model.Greedy([.. Enumerable.Range(i % 40, 1 + i % 9)], 30), texts[i]);
        Assert.InRange(spread, 0, 4); // 320 prompt tokens at 128 a step: the last begins three steps after the first.
    }

    [Fact]
    public async Task Choices_of_one_prompt_read_it_once()
    {
        var model = new ArithmeticTokenModel(slots: 4);
        await using var engine = new GenerationEngine(model, new EngineOptions { IdlePrefillChunkTokens = 16 });
        int[] prompt = [.. Enumerable.Range(0, 40)];
        var streams = engine.Submit([.. Enumerable.Range(0, 4).Select(_ => Some.Request(prompt, 5))]);
        foreach (var text in await Task.WhenAll(streams.Select(s => s.ReadAllAsync().IdsAsync())))
            Assert.Equal(model.Greedy(prompt, 5), text);
        // 40 prompt tokens, 4 fed answer tokens a row, and for three rows the one prompt token whose logits they need.
        Assert.Equal(40 + 3 + 4 * 4, model.Steps.Sum(s => s.Sum()));
        // The same beginning a turn later: only the new part is read.
        var before = model.Steps.Sum(s => s.Sum());
        int[] next = [.. prompt, .. model.Greedy(prompt, 5), 7, 7];
        Assert.Equal(model.Greedy(next, 1), await engine.Submit(Some.Request(next, 1)).ReadAllAsync().IdsAsync());
        Assert.Equal(3, model.Steps.Sum(s => s.Sum()) - before); // The last answer token was never fed, and two are new.
    }

    [Fact]
    public async Task Log_probabilities_are_the_models_own_for_prompt_and_answer()
    {
        var model = new ArithmeticTokenModel();
        await using var engine = new GenerationEngine(model, new EngineOptions { IdlePrefillChunkTokens = 3 });
        int[] prompt = [4, 9, 2, 30, 11];
        var tokens = await engine.Submit(Some.Request(prompt, 3) with
        {
            TopLogProbabilities = 3,
            PromptLogProbabilities = true,
            Sampling = new SamplingOptions { Temperature = 0, LogitBias = new Dictionary<int, float> { [17] = 100 } },
        }).ReadAllAsync().ListAsync();
        Assert.Equal([.. prompt, 17, 17, 17], tokens.Select(t => t.TokenId));
        Assert.Equal(prompt.Length, tokens.Count(t => t.IsPrompt));
        Assert.Null(tokens[0].LogProbability);
        for (var i = 1; i < tokens.Count; i++)
        {
            var logits = model.LogitsOf([.. tokens.Take(i).Select(t => t.TokenId)]);
            var total = Math.Log(logits.Sum(l => Math.Exp(l)));
            Assert.Equal(logits[tokens[i].TokenId] - total, tokens[i].LogProbability!.Value, 1e-4);
            var best = logits.Select((l, id) => (l, id)).OrderByDescending(p => p.l).ThenBy(p => p.id).Take(3).Select(p => p.id);
            Assert.Equal(best, tokens[i].Top.Select(t => t.TokenId));
            Assert.Equal(logits.Max() - total, tokens[i].Top[0].LogProbability, 1e-4);
        }
    }

    [Fact]
    public async Task A_failed_step_fails_its_rows_only()
    {
        var model = new ArithmeticTokenModel(slots: 2);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        model.BeforeStep = _ => throw new InvalidOperationException("no memory");
        await Assert.ThrowsAsync<InvalidOperationException>(() => engine.Submit(Some.Request([1, 2, 3], 4)).ReadAllAsync().IdsAsync());
        model.BeforeStep = null;
        Assert.Equal(model.Greedy([1, 2, 3], 4), await engine.Submit(Some.Request([1, 2, 3], 4)).ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task A_row_with_damaged_logits_fails_alone()
    {
        var model = new ArithmeticTokenModel(slots: 2) { Shape = (sequence, logits) => logits[3] = sequence[0] == 1 ? float.NaN : logits[3] };
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var bad = engine.Submit(Some.Request([1], 4));
        var good = engine.Submit(Some.Request([2], 4));
        Assert.Equal(model.Greedy([2], 4), await good.ReadAllAsync().IdsAsync());
        await Assert.ThrowsAsync<LangTrain.Inference.Sampling.NonFiniteLogitsException>(() => bad.ReadAllAsync().IdsAsync());
    }

    [Fact]
    public async Task The_end_of_the_context_ends_the_row_and_a_longer_prompt_is_refused_with_both_numbers()
    {
        var model = new ArithmeticTokenModel(slotTokens: 10);
        await using var engine = new GenerationEngine(model, new EngineOptions());
        var stream = engine.Submit(Some.Request([1, 2, 3, 4], null));
        Assert.Equal(model.Greedy([1, 2, 3, 4], 6), await stream.ReadAllAsync().IdsAsync());
        Assert.Equal(FinishReason.Length, stream.FinishReason);
        var refused = Assert.Throws<ContextLengthExceededException>(() => engine.Submit(Some.Request([.. Enumerable.Range(0, 10)], 1)));
        Assert.Equal((10, 10), (refused.PromptTokens, refused.ContextLength));
        // A prompt that is only read may fill the context.
        var read = engine.Submit(Some.Request([.. Enumerable.Range(0, 10)], 0) with { PromptLogProbabilities = true, TopLogProbabilities = 0 });
        Assert.Equal(10, (await read.ReadAllAsync().ListAsync()).Count);
    }

    [Fact]
    public async Task Shutting_down_ends_running_and_waiting_rows_and_the_model()
    {
        var model = new ArithmeticTokenModel(slots: 1, slotTokens: 1_000_000);
        var engine = new GenerationEngine(model, new EngineOptions());
        var running = engine.Submit(Some.Request([1], 900_000));
        var waiting = engine.Submit(Some.Request([1], 900_000));
        await engine.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.ReadAllAsync().IdsAsync());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.ReadAllAsync().IdsAsync());
        Assert.Throws<ObjectDisposedException>(() => engine.Submit(Some.Request([1], 1)));
        Assert.True(model.Disposed);
    }
}
