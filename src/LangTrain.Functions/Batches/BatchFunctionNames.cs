namespace LangTrain.Functions.Batches;

/// <summary>Names under which the durable functions of a batch call each other; stored in histories, so never changed.</summary>
internal static class BatchFunctionNames
{
    /// <summary>The orchestration; its instance id is the batch's id.</summary>
    public const string Orchestration = "BatchOrchestration";

    /// <summary>Checks the input file and cuts it into chunks.</summary>
    public const string Validate = "ValidateBatch";

    /// <summary>Answers lines of the chunk at work.</summary>
    public const string RunChunk = "RunBatchChunk";

    /// <summary>Writes the files and ends the batch.</summary>
    public const string Finish = "FinishBatch";

    /// <summary>Ends the batch with an error of the service.</summary>
    public const string Fail = "FailBatch";
}
