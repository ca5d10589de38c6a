namespace LangTrain.Worker;

/// <summary>Ends this process when the one that started it is gone: the pipe on standard input closes with its last holder.</summary>
/// <remarks>
/// At once and without cleaning up. Whoever started this worker was killed, storage with it perhaps; a job in work goes on from its last
/// stored checkpoint like after any other crash. An orderly stop is a SIGTERM.
/// </remarks>
internal sealed class ParentWatch : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            var buffer = new byte[64];
            while (input.Read(buffer) > 0)
            {
                // Nothing is said there; only its end matters.
            }

            Environment.Exit(1);
        })
        { IsBackground = true, Name = "parent watch" }.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
