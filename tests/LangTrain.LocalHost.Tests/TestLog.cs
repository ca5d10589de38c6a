using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Tests;

/// <summary>Writes what the host logs into the output of the test that runs.</summary>
internal sealed class TestLog : ILoggerProvider
{
    public static ILoggerFactory Factory { get; } = LoggerFactory.Create(builder => builder.AddProvider(new TestLog()).SetMinimumLevel(LogLevel.Information));

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            TestContext.Current.TestOutputHelper?.WriteLine($"{logLevel} {category}: {formatter(state, exception)} {exception}");
    }
}
