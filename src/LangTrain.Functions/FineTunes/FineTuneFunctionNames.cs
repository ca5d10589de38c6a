namespace LangTrain.Functions.FineTunes;

/// <summary>Names under which the durable functions of a fine-tune call each other; stored in histories, so never changed.</summary>
internal static class FineTuneFunctionNames
{
    /// <summary>The orchestration; its instance id is the job's id.</summary>
    public const string Orchestration = "FineTuneOrchestration";

    /// <summary>Checks the data.</summary>
    public const string Prepare = "PrepareFineTune";

    /// <summary>Hands the job to the workers.</summary>
    public const string Queue = "QueueTraining";

    /// <summary>Moves the job on after a signal or a wait.</summary>
    public const string Settle = "SettleFineTune";

    /// <summary>Ends the job with an error of the service.</summary>
    public const string Fail = "FailFineTune";
}
