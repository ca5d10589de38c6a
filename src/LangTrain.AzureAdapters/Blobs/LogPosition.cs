namespace LangTrain.AzureAdapters.Blobs;

/// <summary>A place between two lines of a job's log.</summary>
/// <param name="Segment">Which blob of the log, from 0.</param>
/// <param name="Offset">Byte in it.</param>
internal readonly record struct LogPosition(int Segment, long Offset);

/// <summary>A line of a job's log.</summary>
/// <param name="Line">What it says; perhaps that the log goes on in the next blob.</param>
/// <param name="Next">Place after it.</param>
internal readonly record struct LogEntry(EventLine Line, LogPosition Next);
