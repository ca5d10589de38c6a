using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LangTrain.Architecture.Tests;

/// <summary>The Azure templates compile and lint clean, hold no key, and the deploy script refuses bad arguments.</summary>
public sealed partial class InfrastructureTests
{
    // The package unpacks without the executable bit; a copy gets it.
    private static readonly Lazy<string?> Bicep = new(() =>
    {
        var packaged = typeof(InfrastructureTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "BicepCli").Value!;
        if (!OperatingSystem.IsLinux() || !File.Exists(packaged))
        {
            return null;
        }

        var copy = Path.Combine(AppContext.BaseDirectory, "bicep");
        File.Copy(packaged, copy, overwrite: true);
        File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        return copy;
    });

    [Theory]
    [InlineData("lint", "infra/main.bicep")]
    [InlineData("build-params", "infra/main.bicepparam")]
    public async Task The_templates_compile_and_lint_without_a_word(string verb, string file)
    {
        Assert.SkipWhen(Bicep.Value is null, "the Bicep compiler of the test's package runs on Linux x64 only");
        string[] arguments = verb == "lint" ? [verb, file] : [verb, file, "--outfile", Path.Combine(AppContext.BaseDirectory, "parameters.json")];

        var run = await ProcessRun.OfAsync(Bicep.Value, arguments, new Dictionary<string, string>
        {
            ["LANGTRAIN_WORKER_KEY"] = "made-for-this-test",
            ["LANGTRAIN_BOOTSTRAP_API_KEY"] = "made-for-this-test",
            ["LANGTRAIN_SIGNING_KEY"] = "made-for-this-test",
        });

        Assert.Equal("", run.Output.Trim());
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task No_template_hands_out_or_keeps_a_key()
    {
        Assert.SkipWhen(Bicep.Value is null, "the Bicep compiler of the test's package runs on Linux x64 only");

        var built = await ProcessRun.OfAsync(Bicep.Value, ["build", "infra/main.bicep", "--stdout"]);

        Assert.Equal(0, built.ExitCode);
        Assert.DoesNotContain("listKeys", built.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("AccountKey", built.Output, StringComparison.OrdinalIgnoreCase);
        using var template = JsonDocument.Parse(built.Output);
        var secrets = template.RootElement.GetProperty("parameters").EnumerateObject()
            .Where(parameter => parameter.Value.GetProperty("type").GetString() == "securestring").Select(parameter => parameter.Name);
        Assert.Equal(["bootstrapApiKey", "signingKey", "workerKey"], secrets.Order());
    }

    [Fact]
    public void Every_role_id_says_what_it_allows()
    {
        var lines = Repository.Read("infra/modules/roles.bicep").Split('\n');
        var silent = lines.Select((line, i) => (line, above: i > 0 ? lines[i - 1] : ""))
            .Where(pair => RoleId().IsMatch(pair.line) && !pair.above.StartsWith("// ", StringComparison.Ordinal));

        Assert.Empty(silent);
    }

    [Theory]
    [InlineData("unknown command", "dance")]
    [InlineData("--name is 'Bad-Name'", "deploy", "--name", "Bad-Name")]
    [InlineData("--location is missing", "deploy", "--name", "demo")]
    [InlineData("--gpu is 'H100'", "deploy", "--name", "demo", "--location", "x", "--gpu", "H100")]
    [InlineData("--budget is 'much'", "deploy", "--name", "demo", "--location", "x", "--budget", "much")]
    [InlineData("needs a value", "destroy", "--name")]
    [InlineData("is not a folder", "push-model", "--name", "demo", "--folder", "no-such-folder", "--id", "a/b")]
    public async Task The_deploy_script_says_what_is_wrong(string expected, params string[] arguments)
    {
        Assert.SkipUnless(ProcessRun.IsOnPath("bash"), "bash is not on the PATH");

        var run = await ProcessRun.OfAsync("bash", ["infra/deploy.sh", .. arguments]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scripts_pass_shellcheck()
    {
        Assert.SkipUnless(ProcessRun.IsOnPath("shellcheck"), "shellcheck is not on the PATH");

        var run = await ProcessRun.OfAsync("shellcheck", ["infra/deploy.sh", ".ci/run"]);

        Assert.Equal("", run.Output.Trim());
    }

    [GeneratedRegex("^var \\w+ = '[0-9a-f]{8}-")]
    private static partial Regex RoleId();
}
