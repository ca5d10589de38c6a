namespace LangTrain.Training.Evaluation;

/// <summary>What was found when the result of a run was read back from its files.</summary>
public sealed record VerificationReport
{
    /// <summary>Tensors in the written files; every one was scanned.</summary>
    public required int Tensors { get; init; }

    /// <summary>Tensors with a NaN or an infinity; a run with any fails.</summary>
    public required int NonFiniteTensors { get; init; }

    /// <summary>Largest difference between the logits of the trained model and those of the same model with the files read back.</summary>
    public required double MaxLogitDifference { get; init; }

    /// <summary>Prompts of the training data that the trained model was asked to answer.</summary>
    public required int PromptsTried { get; init; }

    /// <summary>Answers among them that the model ended itself, with an end-of-sequence token.</summary>
    public required int PromptsEnded { get; init; }

    /// <summary>Answers among them that equal the training data's to the last token.</summary>
    public required int PromptsExact { get; init; }
}
