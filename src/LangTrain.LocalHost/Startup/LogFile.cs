using System.Globalization;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Startup;

/// <summary>A log file, begun anew with every start; the one before is kept beside it. Thread-safe.</summary>
internal sealed class LogFile : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _file;
    private readonly TimeProvider _time;

    /// <summary>Opens the file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="time">Clock of the lines.</param>
    public LogFile(string path, TimeProvider time)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path))
        {
            File.Move(path, Path.ChangeExtension(path, ".1.log"), overwrite: true);
        }

        _file = new StreamWriter(path) { AutoFlush = true };
        _time = time;
    }

    /// <summary>Writes a line; a disk that is full does not stop the host.</summary>
    public void Write(string line)
    {
        lock (_lock)
        {
            try
            {
                _file.WriteLine(line);
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                // There is nowhere left to say so.
            }
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _file.Dispose();
        }
    }

    private sealed class Logger(LogFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{file._time.GetUtcNow():HH:mm:ss.fff} {logLevel,-11} {category}: {formatter(state, exception)}");
            file.Write(exception is null ? line : line + Environment.NewLine + exception);
        }
    }
}
