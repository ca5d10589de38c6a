using System.Runtime.InteropServices;
using TorchSharp;

namespace LangTrain.Modeling.Tests;

public class LargeBlocksTests
{
    private const int Megabyte = 1 << 20;

    [Fact]
    public void A_block_given_back_is_the_next_of_its_size()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var blocks = new LargeBlocks();
        var (first, other) = (blocks.Take(3 * Megabyte), blocks.Take(5 * Megabyte));
        Assert.True(blocks.Return(first));
        Assert.NotEqual(first, blocks.Take(5 * Megabyte));
        Assert.Equal(first, blocks.Take(3 * Megabyte - 100));
        Assert.True(blocks.Return(other));
        Assert.False(blocks.Return(other));
        Assert.False(blocks.Return(12345));
    }

    [Fact]
    public void Ever_other_sizes_do_not_pile_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var blocks = new LargeBlocks();
        for (var round = 0; round < 200; round++)
        {
            nint[] taken = [.. Enumerable.Range(1, 8).Select(i => blocks.Take((1 + (round * 7 + i * 13) % 16) * Megabyte))];
            foreach (var block in taken)
            {
                Marshal.WriteInt32(block, Megabyte - 4, round); // it is memory
                blocks.Return(block);
            }
        }

        // In use at once were at most 8 blocks of 16 MB; 16 sizes of 8 blocks each would be 1,088 MB.
        Assert.InRange(blocks.MappedBytes, 1, 8 * 16 * Megabyte * 17L / 16 + 32 * Megabyte);
    }

    [Fact]
    public void Release_leaves_what_is_in_use()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var blocks = new LargeBlocks();
        var (kept, given) = (blocks.Take(3 * Megabyte), blocks.Take(64 * Megabyte));
        blocks.Return(given);
        Assert.InRange(blocks.MappedBytes, 67 * Megabyte, long.MaxValue);
        blocks.Release();
        Assert.InRange(blocks.MappedBytes, 3 * Megabyte, 4 * Megabyte);
        Marshal.WriteInt32(kept, 3 * Megabyte - 4, 1); // still memory
        Assert.True(blocks.Return(kept));
        Assert.NotEqual(0, blocks.Take(64 * Megabyte));
    }

    [Fact]
    public void Large_tensors_live_there_and_oneDNN_s_too()
    {
        TorchSetup.Initialize();
        Assert.SkipUnless(TorchAllocator.Blocks is not null, "libtorch kept its allocator.");
        using var scope = torch.NewDisposeScope();
        var weight = torch.randn(512, 512);
        var blocks = TorchAllocator.Blocks!;
        Assert.True(blocks.Holds(TorchOperator.DataOf(weight)));
        Assert.False(blocks.Holds(TorchOperator.DataOf(torch.randn(4))));
        var x = torch.randn(64, 512);
        using var packed = WeightProduct.Pack(weight, 64);
        Assert.True(packed is null || torch.allclose(x.matmul(weight.t()), WeightProduct.ForwardPacked(x, packed), 1e-4, 1e-4));
    }
}
