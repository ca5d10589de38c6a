namespace LangTrain.Training.Evaluation;

/// <summary>The files of a result do not hold: they are not finite, or do not give the model that was trained.</summary>
public sealed class VerificationFailedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What does not hold.</param>
    /// <param name="report">What was found.</param>
    public VerificationFailedException(string message, VerificationReport report)
        : base(message) => Report = report;

    /// <summary>What was found.</summary>
    public VerificationReport Report { get; }
}
