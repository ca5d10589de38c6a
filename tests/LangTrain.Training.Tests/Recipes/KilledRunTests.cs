using System.Diagnostics;
using System.Globalization;
using LangTrain.Modeling;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>
/// Runs in processes of their own that die by SIGKILL, between two changes of the disk or at any moment, again and again: what is left is always
/// enough to come to the same losses and the same files, to the last bit.
/// </summary>
public sealed class KilledRunTests : IDisposable
{
    private const string Root = "LANGTRAIN_TEST_KILLED_ROOT", Method = "LANGTRAIN_TEST_KILLED_METHOD", DiesAt = "LANGTRAIN_TEST_KILLED_AT";
    private readonly SmallRun _run = new();

    [Theory]
    [InlineData(TrainingMethod.Lora, 1)]
    [InlineData(TrainingMethod.QLora, 2)]
    [InlineData(TrainingMethod.Full, 3)]
    public void A_run_killed_again_and_again_ends_as_one_that_never_was(TrainingMethod method, int seed)
    {
        var whole = new RecordingObserver();
        _run.Train(Options(method), whole, "whole");

        // Where each child dies: the number of a change of the disk, or a time for the one that is killed from outside.
        var random = new Random(seed);
        var deaths = Enumerable.Range(0, 4).Select(_ => random.Next(1, 45)).ToArray();
        foreach (var at in deaths)
        {
            Assert.NotEqual(0, RunChild(method, at, Timeout.InfiniteTimeSpan));
        }

        RunChild(method, diesAt: null, TimeSpan.FromMilliseconds(random.Next(500, 3000)));
        Assert.Equal(0, RunChild(method, diesAt: null, Timeout.InfiniteTimeSpan));

        // Steps that were made twice were made alike.
        var told = File.ReadAllLines(LossFile(_run)).Select(line => line.Split(' ')).ToLookup(part => part[0], part => part[1]);
        Assert.Equal(whole.Metrics.Select(m => (Key(m.Step), Bits(m.Loss))), told.OrderBy(step => int.Parse(step.Key, CultureInfo.InvariantCulture)).Select(step => (step.Key, step.Distinct().Single())));
        foreach (var path in Directory.GetFiles(_run.Files("whole").OutputFolder))
        {
            var other = Path.Combine(_run.Files("killed").OutputFolder, Path.GetFileName(path));
            Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(other)), Path.GetFileName(path));
        }
    }

    /// <summary>What a child process runs; not a test of its own.</summary>
    [Fact(Explicit = true)]
    public void Child()
    {
        using var parent = Process.GetCurrentProcess();
        var run = new SmallRun(Environment.GetEnvironmentVariable(Root)!);
        var method = Enum.Parse<TrainingMethod>(Environment.GetEnvironmentVariable(Method)!);
        var diesAt = int.Parse(Environment.GetEnvironmentVariable(DiesAt)!, CultureInfo.InvariantCulture);
        var operations = 0;
        var observer = new RecordingObserver { AfterStep = m => File.AppendAllText(LossFile(run), $"{Key(m.Step)} {Bits(m.Loss)}\n") };
        run.Train(Options(method), observer, "killed", beforeOperation: _ =>
        {
            if (++operations == diesAt)
            {
                parent.Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        });
    }

    public void Dispose() => _run.Dispose();

    private static TrainingOptions Options(TrainingMethod method) => new()
    {
        Method = method,
        Lora = new LoraOptions { Rank = 4, Alpha = 8, Dropout = 0.2 },
        Epochs = 3,
        BatchSize = 2,
        GradientAccumulationSteps = 2,
        LearningRate = 2e-2,
        SaveSteps = 1,
        KeepCheckpoints = 1,
        EvaluationSplit = 0.2,
        EvaluationSteps = 2,
        EvaluationSamples = 1,
    };

    private static string LossFile(SmallRun run) => Path.Combine(run.Root, "killed-losses.txt");

    private static string Key(int step) => step.ToString(CultureInfo.InvariantCulture);

    private static string Bits(double loss) => BitConverter.DoubleToInt64Bits(loss).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Runs a child until it ends, or kills it.</summary>
    /// <returns>Its exit status.</returns>
    private int RunChild(TrainingMethod method, int? diesAt, TimeSpan killAfter)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "LangTrain.Training.Tests" + (OperatingSystem.IsWindows() ? ".exe" : "")))
        {
            ArgumentList = { "-explicit", "only", "-method", $"{typeof(KilledRunTests).FullName}.{nameof(Child)}", "-noLogo" },
            Environment = { [Root] = _run.Root, [Method] = method.ToString(), [DiesAt] = (diesAt ?? -1).ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
        };
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync();
        if (!child.WaitForExit(killAfter))
        {
            child.Kill();
        }

        child.WaitForExit();
        Assert.True(diesAt is not null || killAfter != Timeout.InfiniteTimeSpan || child.ExitCode == 0, output.GetAwaiter().GetResult());
        return child.ExitCode;
    }
}
