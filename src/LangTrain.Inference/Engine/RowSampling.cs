using LangTrain.Inference.Sampling;
using Microsoft.Extensions.Logging;

namespace LangTrain.Inference.Engine;

/// <summary>What happens to a step's logits: prompt tokens get their log-probabilities, generating rows their next token or their end.</summary>
/// <remarks>Loop thread only.</remarks>
internal sealed class RowSampling(int vocabularySize, string model, EngineMetrics metrics, ILogger logger) : ILogitsSink
{
    private readonly SamplerScratch _scratch = new(vocabularySize);

    public void Accept(StepRow part, int index, Span<float> logits)
    {
        var row = part.Owner;
        if (row.IsEnded)
            return;
        try
        {
            var next = part.Position + index + 1;
            if (next < row.Count)
                ReportPrompt(row, next, logits);
            else
                Generate(row, logits);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The row's own trouble (logits that are not finite, a constraint nothing satisfies): the others go on.
            Logs.RowFailed(logger, e, model);
            row.Fail(e);
        }
    }

    private void ReportPrompt(GenerationRow row, int position, Span<float> logits)
    {
        if (position == 1 && row.PromptReported == 0)
            row.Report(new GeneratedToken { TokenId = row.Tokens[0], IsPrompt = true, Top = [] });
        if (position <= row.PromptReported || position >= row.PromptLength)
            return;
        row.PromptReported = position;
        var total = LogitMath.LogSumExp(logits, _scratch.Weights);
        row.Report(WithLogProbability(row, row.Tokens[position], logits, total) with { IsPrompt = true });
    }

    private void Generate(GenerationRow row, Span<float> logits)
    {
        if (row.PromptLength == 1 && row.Request.PromptLogProbabilities && row.PromptReported++ == 0)
            row.Report(new GeneratedToken { TokenId = row.Tokens[0], IsPrompt = true, Top = [] });
        if (row.MaxNewTokens == 0)
        {
            row.End(FinishReason.Length);
            return;
        }
        // The model's own distribution is looked at before the row's is made of it.
        double total = 0;
        var wanted = row.Request.TopLogProbabilities is not null;
        if (wanted)
        {
            logits.CopyTo(_scratch.Raw);
            total = LogitMath.LogSumExp(logits, _scratch.Weights);
        }
        var constraint = row.Request.Constraint;
        constraint?.Apply(logits, row.MaxNewTokens - row.Generated);
        var id = row.Sampler.Next(logits, _scratch);
        if (row.Request.StopTokenIds.Contains(id))
        {
            row.End(FinishReason.Stop);
            return;
        }
        row.Sampler.Observe(id);
        constraint?.Accept(id);
        metrics.Token(row);
        row.Append(id);
        row.Report(wanted ? WithLogProbability(row, id, _scratch.Raw, total) : new GeneratedToken { TokenId = id, Top = [] });
        if (constraint is { IsComplete: true })
            row.End(FinishReason.Stop);
        else if (row.Generated == row.MaxNewTokens)
            row.End(FinishReason.Length);
    }

    private GeneratedToken WithLogProbability(GenerationRow row, int id, ReadOnlySpan<float> logits, double total)
    {
        var top = row.Request.TopLogProbabilities is > 0 and { } count ? new TokenAlternative[Math.Min(count, logits.Length)] : [];
        if (top.Length > 0)
            TopTokens.Largest(logits, top.Length, _scratch.Keys);
        for (var i = 0; i < top.Length; i++)
        {
            var at = TopTokens.IdOf(_scratch.Keys[i]);
            top[i] = new TokenAlternative(at, (float)(logits[at] - total));
        }
        return new GeneratedToken { TokenId = id, LogProbability = (float)(logits[id] - total), Top = top };
    }
}
