using LangTrain.AzureAdapters;
using LangTrain.Contracts.FineTunes;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Checkpoints;
using LangTrain.Training.Data;
using LangTrain.Training.Evaluation;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>Which errors are the owner's to mend, which another attempt may pass, and what the owner is told.</summary>
internal static class TrainingFailures
{
    /// <summary>What to report of an exception that ended an attempt.</summary>
    /// <returns>The error, free of internals, and whether another attempt could succeed.</returns>
    public static (JobError Error, bool Retryable) Describe(Exception failure) => failure switch
    {
        TrainingDivergedException => (new JobError("training_diverged", failure.Message), false),
        TrainingDataException => (new JobError("dataset_invalid", failure.Message), false),
        // The model's layers are known only here: a target module that it has not is found no earlier.
        ArgumentException { ParamName: "options" } => (new JobError("config_invalid", failure.Message.Replace(" (Parameter 'options')", "", StringComparison.Ordinal)), false),
        InvalidDataException => (new JobError("data_invalid", failure.Message), false),
        UnsupportedModelException => (new JobError("model_unsupported", failure.Message), false),
        ModelFilesMissingException missing => (new JobError("model_not_ready", failure.Message), missing.MayPass),
        VerificationFailedException => (new JobError("verification_failed", failure.Message), false),
        OutOfMemoryException => (OutOfMemory, false),
        // libtorch reports exhausted memory as a plain external error with these words.
        System.Runtime.InteropServices.ExternalException when failure.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || failure.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase) => (OutOfMemory, false),
        // The next attempt may run where there is room; the owner can do nothing about it.
        _ when DiskFailure.IsFull(failure) => (new JobError("storage_full", DiskFailure.Describe(failure)), true),
        CheckpointMismatchException => (new JobError("checkpoint_mismatch", failure.Message), false),
        _ when StorageOutage.Is(failure) => (new JobError("storage_unavailable", "The service's storage did not answer. Nothing is wrong with your data or configuration."), true),
        _ => (new JobError("internal_error", "The training failed for a reason that is not in your data or configuration."), true),
    };

    private static JobError OutOfMemory { get; } = new(
        "out_of_memory", "The training did not fit into memory. A smaller batch_size or max_seq_length, or method qlora, needs less.");
}
