using LangTrain.Training.Checkpoints;

namespace LangTrain.Training.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("checkpoints").FullName;

    [Fact]
    public void Newest_intact_checkpoint_is_found()
    {
        var store = Store();
        Write(store, 2);
        Write(store, 10);
        Assert.Equal(store.FolderOf(10), store.FindNewest());
    }

    [Fact]
    public void Empty_store_has_no_checkpoint() => Assert.Null(Store().FindNewest());

    public enum Damage { Truncated, OneBitFlipped, FileGone, ManifestGone, ManifestCut, ManifestNamesAPath }

    [Theory]
    [InlineData(Damage.Truncated)]
    [InlineData(Damage.OneBitFlipped)]
    [InlineData(Damage.FileGone)]
    [InlineData(Damage.ManifestGone)]
    [InlineData(Damage.ManifestCut)]
    [InlineData(Damage.ManifestNamesAPath)]
    public void Damaged_checkpoint_is_passed_over(Damage damage)
    {
        var store = Store();
        Write(store, 1);
        Write(store, 2);
        var file = Path.Combine(store.FolderOf(2), "weights.bin");
        var manifest = Path.Combine(store.FolderOf(2), "manifest.json");
        switch (damage)
        {
            case Damage.Truncated:
                File.WriteAllBytes(file, File.ReadAllBytes(file)[..^1]);
                break;
            case Damage.OneBitFlipped:
                var bytes = File.ReadAllBytes(file);
                bytes[3] ^= 1;
                File.WriteAllBytes(file, bytes);
                break;
            case Damage.FileGone:
                File.Delete(file);
                break;
            case Damage.ManifestGone:
                File.Delete(manifest);
                break;
            case Damage.ManifestCut:
                File.WriteAllText(manifest, File.ReadAllText(manifest)[..40]);
                break;
            case Damage.ManifestNamesAPath:
                File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("weights.bin", "../step-1/weights.bin", StringComparison.Ordinal));
                break;
        }

        var damaged = new List<string>();
        Assert.Equal(store.FolderOf(1), store.FindNewest(damaged.Add));
        Assert.Equal([store.FolderOf(2)], damaged);
    }

    [Fact]
    public void Crash_while_writing_leaves_the_older_checkpoint_and_is_cleaned_up()
    {
        var store = Store();
        Write(store, 1);
        Assert.Throws<IOException>(() => store.Write(2, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "weights.bin"), "half");
            throw new IOException("disk full");
        }));
        Assert.Equal(store.FolderOf(1), store.FindNewest());
        Assert.Equal(2, Directory.GetDirectories(_folder).Length);
        Assert.Equal(store.FolderOf(1), Store().FindNewest());
        Assert.Equal([store.FolderOf(1)], Directory.GetDirectories(_folder));
    }

    [Fact]
    public void Same_step_can_be_written_again()
    {
        var store = Store();
        Write(store, 1);
        Write(store, 1, "new bytes");
        Assert.Equal("new bytes", File.ReadAllText(Path.Combine(store.FindNewest()!, "weights.bin")));
    }

    [Fact]
    public void Prune_keeps_the_last_ones_and_the_best()
    {
        var store = Store();
        foreach (var step in new[] { 5, 10, 15, 20 })
        {
            Write(store, step);
        }

        store.Prune(bestStep: 5);
        Assert.Equal(["step-15", "step-20", "step-5"], Directory.GetDirectories(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private CheckpointStore Store() => new(_folder, keepLast: 2, TimeProvider.System);

    private static void Write(CheckpointStore store, int step, string content = "some weights") =>
        store.Write(step, folder => File.WriteAllText(Path.Combine(folder, "weights.bin"), content));
}
