using System.Collections.Concurrent;

namespace LangTrain.LocalHost.Tests.Durable;

/// <summary>What test functions did, by a key that each test makes for itself.</summary>
internal static class Probe
{
    private static readonly ConcurrentDictionary<string, int> Counts = new();

    public static int Add(string key) => Counts.AddOrUpdate(key, 1, (_, count) => count + 1);

    public static int Count(string key) => Counts.GetValueOrDefault(key);

    public static async Task UntilAsync(string key, int count)
    {
        for (var i = 0; Count(key) < count; i++)
        {
            Assert.True(i < 400, $"{key} was {Count(key)}, not {count}, after 20 seconds");
            await Task.Delay(50);
        }
    }
}
