namespace LangTrain.Training.Observation;

/// <summary>How much a log line of a run matters.</summary>
public enum TrainingLogLevel
{
    /// <summary>Something worth knowing.</summary>
    Info,

    /// <summary>Something that the owner of the job should look at.</summary>
    Warning,
}
