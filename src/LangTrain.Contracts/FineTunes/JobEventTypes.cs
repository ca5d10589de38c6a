namespace LangTrain.Contracts.FineTunes;

/// <summary>Values of <see cref="JobEvent.Type"/>.</summary>
public static class JobEventTypes
{
    /// <summary>A line for people: <c>message</c>, <c>level</c>.</summary>
    public const string Log = "log";

    /// <summary>Numbers of a step: <c>data</c> with numeric <c>epoch, step, loss, learning_rate, grad_norm, tokens_per_second, eta_seconds, memory_bytes</c>; of preferences also <c>reward_margin, reward_accuracy</c>.</summary>
    public const string Metrics = "metrics";

    /// <summary>The job's new status: <c>status</c>.</summary>
    public const string Status = "status";

    /// <summary>A checkpoint is stored: <c>data.step</c>.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>Evaluation numbers: <c>data</c> with <c>step, eval_loss, token_accuracy</c>.</summary>
    public const string Eval = "eval";

    /// <summary>A text made by the model in training: <c>data</c> with <c>step, prompt, text</c>.</summary>
    public const string Sample = "sample";

    /// <summary>The training diverged and went back to a checkpoint: what was told of steps after <c>data.step</c> holds no more.</summary>
    public const string Rollback = "rollback";

    /// <summary>Place in the queue: <c>data.position</c>.</summary>
    public const string Queue = "queue";
}
