using Microsoft.Extensions.Logging;

namespace LangTrain.Inference;

internal static partial class Logs
{
    [LoggerMessage(1, LogLevel.Error, "A generation step of {Model} with {Rows} rows failed; its rows end, the engine goes on")]
    public static partial void StepFailed(ILogger logger, Exception error, string model, int rows);

    [LoggerMessage(2, LogLevel.Error, "A row of {Model} failed; the others go on")]
    public static partial void RowFailed(ILogger logger, Exception error, string model);

    [LoggerMessage(3, LogLevel.Critical, "The generation loop of {Model} failed; its rows end and it takes no more")]
    public static partial void EngineFailed(ILogger logger, Exception error, string model);
}
