using LangTrain.Modeling;
using LangTrain.Training.Evaluation;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Evaluation;

public class GreedyDecoderTests
{
    private const int Context = 48;

    [Fact]
    public void Prompts_completed_together_are_completed_as_alone()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        (IReadOnlyList<int> Prompt, int MaxNewTokens)[] prompts = [.. Enumerable.Range(0, 9).Select(i => (Prompt(1 + 5 * i, i), i == 3 ? 0 : 4 + i))];
        var together = GreedyDecoder.Complete(model, AdapterSelection.None, prompts, [], CancellationToken.None);

        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(ByWholePasses(model, prompts[i].Prompt, prompts[i].MaxNewTokens), together[i]);
        }

        // 41 and 12 more are beyond the context: as many as there is room for, and the one that follows from the last.
        Assert.Equal(Context - 41 + 1, together[8].Count);
        Assert.True(together.SelectMany(tokens => tokens).Distinct().Count() > 5, "a model that always says the same shows nothing");
    }

    [Fact]
    public void A_row_ends_with_an_end_token_and_the_others_go_on()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        (IReadOnlyList<int> Prompt, int MaxNewTokens)[] prompts = [(Prompt(4, 1), 10), (Prompt(7, 2), 10)];
        var free = GreedyDecoder.Complete(model, AdapterSelection.None, prompts, [], CancellationToken.None);
        var end = free[0].First(token => !free[1].Contains(token));

        var ended = GreedyDecoder.Complete(model, AdapterSelection.None, prompts, [end], CancellationToken.None);
        Assert.Equal([.. free[0].TakeWhile(token => token != end), end], ended[0]);
        Assert.Equal(free[1], ended[1]);
    }

    [Fact]
    public void More_prompts_than_the_cache_may_hold_go_in_turns_and_one_without_room_gets_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        (IReadOnlyList<int> Prompt, int MaxNewTokens)[] prompts = [(Prompt(Context + 1, 1), 5), .. Enumerable.Range(0, 200).Select(i => (Prompt(40, i % 3), 8))];
        var completions = GreedyDecoder.Complete(model, AdapterSelection.None, prompts, [], CancellationToken.None);
        Assert.Equal(201, completions.Count);
        Assert.Empty(completions[0]);
        Assert.All(completions.Skip(1).Select((tokens, i) => (tokens, i)), pair => Assert.Equal(completions[1 + pair.i % 3], pair.tokens));
        Assert.Throws<OperationCanceledException>(() => GreedyDecoder.Complete(model, AdapterSelection.None, prompts, [], new CancellationToken(canceled: true)));
    }

    private static IReadOnlyList<int> Prompt(int length, int salt) => [.. Enumerable.Range(0, length).Select(i => 3 + (7 * i + 11 * salt + i * i) % 90)];

    private static DecoderModel Model()
    {
        var config = ModelConfig.ForLlama(100, 32, 2, 4, 2, 48, Context) with { InitializerRange = 0.4 };
        return DecoderModel.Create(config, seed: 3, new ModelLoadOptions { Dtype = ScalarType.Float64 });
    }

    // Without a cache: every token from a pass over all before it.
    private static List<int> ByWholePasses(DecoderModel model, IReadOnlyList<int> prompt, int maxNewTokens)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        List<long> ids = [.. prompt.Select(id => (long)id)];
        while (ids.Count - prompt.Count < maxNewTokens && ids.Count <= model.Config.ContextLength)
        {
            ids.Add(model.Logits(model.Hidden(tensor(ids.ToArray()).unsqueeze(0), new ForwardPass()))[0, -1].argmax().item<long>());
        }

        return [.. ids.Skip(prompt.Count).Select(id => (int)id)];
    }
}
