using System.Text;

namespace LangTrain.Inference.Text;

/// <summary>Puts a request's updates together again.</summary>
internal sealed class TextGenerationResultBuilder(int choices)
{
    private readonly Choice[] _choices = [.. Enumerable.Range(0, choices).Select(_ => new Choice())];
    private GenerationUsage _usage = new(0, 0);

    public void Add(TextGenerationUpdate update)
    {
        if (update.Usage is not null)
            _usage = update.Usage;
        if (update.Usage is not null || update.PromptTokens is not null)
            return;
        var choice = _choices[update.ChoiceIndex];
        choice.Text.Append(update.Text);
        if (update.LogProbabilities is { } tokens)
            (choice.LogProbabilities ??= []).AddRange(tokens);
        choice.ToolCalls ??= update.ToolCalls;
        choice.FinishReason ??= update.FinishReason;
    }

    public TextGenerationResult Build() =>
        new([.. _choices.Select(c => new TextGenerationChoice(c.Text.ToString(), c.FinishReason!.Value, c.LogProbabilities, c.ToolCalls))], _usage);

    private sealed class Choice
    {
        public StringBuilder Text { get; } = new();

        public List<TextTokenLogProbability>? LogProbabilities { get; set; }

        public IReadOnlyList<ToolCall>? ToolCalls { get; set; }

        public FinishReason? FinishReason { get; set; }
    }
}
