using System.Runtime.InteropServices;

namespace LangTrain.Flow.Tests;

/// <summary>Signals to one process by its id.</summary>
internal static partial class Signals
{
    public const int Interrupt = 2, Kill = 9;

    public static void Send(int processId, int signal) => _ = SendSignal(processId, signal);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
