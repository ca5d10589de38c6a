using System.Text.RegularExpressions;

namespace LangTrain.Flow.Tests;

/// <summary>README's first command.</summary>
public sealed partial class DemoTests
{
    [Fact]
    public async Task The_demo_does_the_main_job_and_ends()
    {
        var folder = LocalHostProcess.NewDataFolder();
        try
        {
            await using var host = LocalHostProcess.Launch(folder, LocalHostProcess.FreeUrl(), null, "demo");

            var exit = await host.WaitForExitAsync(TimeSpan.FromMinutes(6));

            Assert.True(exit == 0, host.Output);
            var shares = Percentage().Matches(host.Output).Select(m => double.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();
            Assert.True(shares.Any(share => share <= 20) && shares.Any(share => share >= 80), host.Output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"(\d+(?:\.\d+)?)\s*%")]
    private static partial Regex Percentage();
}
