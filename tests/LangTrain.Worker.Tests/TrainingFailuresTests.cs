using LangTrain.Worker.FineTunes;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.Tests;

public sealed class TrainingFailuresTests
{
    private static readonly IOException Full = new("No space left on device : '/data/worker/jobs/ftjob-1/output/model.safetensors.0123456789abcdef0123456789abcdef.tmp'", 28);

    [Fact]
    public void A_full_disk_is_told_with_the_file_and_without_the_machines_folders()
    {
        var (error, retryable) = TrainingFailures.Describe(Full);
        Assert.Equal(("storage_full", "The worker's disk is full: there was no room for 'model.safetensors'.", true), (error.Code, error.Message, retryable));
    }

    [Fact]
    public void Storage_that_does_not_answer_is_neither_the_data_nor_an_unknown_reason()
    {
        var (error, retryable) = TrainingFailures.Describe(new AggregateException(new Azure.RequestFailedException(503, "busy"), new TaskCanceledException()));
        Assert.Equal(("storage_unavailable", true), (error.Code, retryable));
    }

    [Fact]
    public void A_model_that_is_being_replaced_is_tried_again()
    {
        Assert.True(TrainingFailures.Describe(new ModelFilesMissingException("damaged", mayPass: true, new InvalidDataException())).Retryable);
        Assert.False(TrainingFailures.Describe(new ModelFilesMissingException("gone")).Retryable);
    }
}
