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
    public void Full_disk_leaves_the_older_checkpoint_and_no_half_of_the_new_one()
    {
        var store = Store();
        Write(store, 1);
        Assert.Throws<IOException>(() => store.Write(2, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "weights.bin"), "half");
            throw new IOException("disk full");
        }));
        // A full disk gets its room back at once; a death leaves it to the next run, see below.
        Assert.Equal([store.FolderOf(1)], Directory.GetDirectories(_folder));
        Assert.Equal(store.FolderOf(1), Store().FindNewest());
    }

    [Fact]
    public void Death_before_any_change_of_the_disk_leaves_a_good_checkpoint_and_a_store_that_works()
    {
        // Two writes and a prune, died in before every operation in turn until one life has none left to die before.
        for (var diesAt = 1; ; diesAt++)
        {
            var folder = Path.Combine(_folder, $"life-{diesAt}");
            var operations = 0;
            var died = false;
            try
            {
                var store = new CheckpointStore(folder, keepLast: 1, TimeProvider.System, operation => _ = ++operations == diesAt ? throw new DeathException() : operation);
                foreach (var step in new[] { 1, 2, 3 })
                {
                    Write(store, step);
                    store.Prune();
                }
            }
            catch (DeathException)
            {
                died = true;
            }

            var again = new CheckpointStore(folder, keepLast: 1, TimeProvider.System);
            var newest = again.FindNewest(damaged => Assert.Fail($"{damaged} is half there after death {diesAt}."));
            Assert.True(newest is not null || operations <= 6, $"No checkpoint is left after death {diesAt}.");
            Write(again, 4);
            again.Prune();
            Assert.Equal([again.FolderOf(4)], Directory.GetDirectories(folder));
            if (!died)
            {
                Assert.True(diesAt > 20);
                return;
            }
        }
    }

    [Fact]
    public void Going_back_forgets_all_later_checkpoints()
    {
        var store = new CheckpointStore(_folder, keepLast: 9, TimeProvider.System);
        foreach (var step in new[] { 1, 3, 5, 7 })
        {
            Write(store, step);
        }

        Assert.Null(store.GoBackTo(0));
        Assert.Equal(store.FolderOf(3), store.GoBackTo(4));
        Assert.Equal(["step-1", "step-3"], Directory.GetDirectories(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
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
    public void Prune_keeps_the_last_ones_and_what_each_of_them_knows_as_the_best()
    {
        var store = Store();
        foreach (var (step, best) in new[] { (4, 4), (5, 5), (10, 5), (15, 5), (20, 20) })
        {
            store.Write(step, new TrainingState { Step = step, BestStep = best, Seed = 1, OptionsHash = "", DataHash = "" }.Write);
        }

        store.Prune();
        Assert.Equal(["step-15", "step-20", "step-5"], Directory.GetDirectories(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private CheckpointStore Store() => new(_folder, keepLast: 2, TimeProvider.System);

    private static void Write(CheckpointStore store, int step, string content = "some weights") =>
        store.Write(step, folder => File.WriteAllText(Path.Combine(folder, "weights.bin"), content));

    private sealed class DeathException : Exception;
}
