using LangTrain.Contracts.Generation;
using LangTrain.Contracts.Together;
using LangTrain.Core.Batches;
using LangTrain.Core.Files;
using LangTrain.Core.Models;

namespace LangTrain.Core.Together;

/// <summary>Shows files, models and batches the way the together-ai client reads them.</summary>
public static class TogetherAnswers
{
    private static readonly (string Ours, string Theirs)[] Purposes = [("batch", "batch-api"), ("user_data", "eval")];

    /// <summary>A purpose of theirs in our words; what is not known stays as it is.</summary>
    public static string? PurposeOf(string? theirs) => Array.Find(Purposes, pair => pair.Theirs == theirs).Ours ?? theirs;

    /// <summary>A file.</summary>
    public static TogetherFileAnswer ToTogether(this StoredFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new()
        {
            Id = file.Id,
            Bytes = file.Bytes,
            CreatedAt = file.CreatedAt.ToUnixTimeSeconds(),
            Filename = file.Filename,
            Purpose = Array.Find(Purposes, pair => pair.Ours == file.Purpose).Theirs ?? file.Purpose,
            Processed = file.State == FileState.Ready,
        };
    }

    /// <summary>A model.</summary>
    public static TogetherModelAnswer ToTogether(this StoredModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var answer = model.ToAnswer();
        return new()
        {
            Id = model.Id,
            Created = answer.Created,
            Type = model.Category == "code" ? "code" : model.SupportedTasks.Contains("chat") ? "chat" : "language",
            DisplayName = model.Name,
            Organization = model.AccountId is null && model.Id.Split('/') is [var organization, _, ..] ? organization : answer.OwnedBy,
            ContextLength = model.ContextLength,
            Pricing = new TogetherPricing(answer.Pricing.Input, answer.Pricing.Output, answer.Pricing.Training, 0, 0),
            Status = model.Status,
        };
    }

    /// <summary>An answer with what their types have besides OpenAI's.</summary>
    public static ChatCompletionAnswer ForTogether(this ChatCompletionAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return answer with
        {
            Prompt = [],
            Choices = [.. answer.Choices.Select(choice => choice.Logprobs is not { } known ? choice : choice with
            {
                Logprobs = known with { Tokens = [.. known.Content.Select(token => token.Token)], TokenLogprobs = [.. known.Content.Select(token => token.Logprob)] },
            })],
        };
    }

    /// <summary>A batch.</summary>
    public static TogetherBatchAnswer ToTogether(this Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var all = batch.Ended + batch.Current;
        return new()
        {
            Id = batch.Id,
            Status = batch.Status switch
            {
                BatchStatus.Validating => "VALIDATING",
                BatchStatus.Completed => "COMPLETED",
                BatchStatus.Failed => "FAILED",
                BatchStatus.Expired => "EXPIRED",
                BatchStatus.Cancelled => "CANCELLED",
                // What was answered is still being written: not ended yet.
                _ => "IN_PROGRESS",
            },
            Endpoint = batch.Endpoint,
            InputFileId = batch.InputFileId,
            OutputFileId = batch.OutputFileId,
            ErrorFileId = batch.ErrorFileId,
            Error = batch.Problems.Count == 0 ? null : string.Join(' ', batch.Problems.Select(problem => problem.Message)),
            Progress = batch.Total == 0 ? 0 : Math.Round(100.0 * (all.Completed + all.Failed) / batch.Total, 1),
            UserId = batch.AccountId,
            CreatedAt = batch.CreatedAt,
            JobDeadline = batch.ExpiresAt,
            CompletedAt = batch.Status == BatchStatus.Completed ? batch.EndedAt : null,
        };
    }
}
