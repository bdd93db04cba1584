"""Frames to vectors with the packaged tower, beside open_clip itself and brute force."""

import threading

import numpy as np
import pytest

from epoxy_core.embed import ClipEncoder, FrameContent, embed_missing
from epoxy_core.errors import EpoxyError
from epoxy_core.video import read_frames


@pytest.fixture(scope="session")
def plain(tower_file, prepared):
    """open_clip's own preprocessing and model, in float32."""
    import open_clip
    import torch
    from PIL import Image
    from safetensors.torch import load_file

    model, _, preprocess = open_clip.create_model_and_transforms(
        "ViT-B-16-quickgelu", load_weights=False
    )
    model.visual.load_state_dict(load_file(tower_file), strict=True)
    model.eval()

    def encode(images):
        with torch.inference_mode():
            pictures = torch.stack([preprocess(Image.fromarray(image)) for image in images])
            return model.encode_image(pictures, normalize=True).numpy()

    return encode


def pooled(encoder, content):
    """Mean of the frames' unit vectors, one frame at a time."""
    images = [image for _, image in read_frames(content.path, content.frames)]
    assert len(images) == len(set(content.frames))
    mean = np.mean([encoder.encode_images([image])[0] for image in images], axis=0)
    return mean / np.linalg.norm(mean)


def together(encoder, contents):
    vectors = np.full((len(contents), encoder.dimension), np.nan, dtype=np.float32)
    for rows, block in encoder.encode_batches(contents):
        assert rows.dtype == np.intp
        assert block.dtype == np.float32
        assert np.isnan(vectors[rows]).all()
        vectors[rows] = block
    return vectors


def test_same_vectors_as_open_clip(clip, plain, photos):
    china, flower = photos
    white = np.full((60, 90, 3), 255, dtype=np.uint8)
    images = [china, np.ascontiguousarray(flower[:333, ::2]), china[:97, :70], white]
    exact = plain(images)
    for encoder in (clip, ClipEncoder(precision="float32")):
        vectors = encoder.encode_images(images)
        assert vectors.shape == (4, 512)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert (vectors * exact).sum(axis=1).min() >= 0.9995


def test_what_the_published_graph_sees(clip, photos):
    """Leading components, in thousandths, of what ONNX Runtime gives of the int8 graph itself."""
    temple = [-3, -122, -23, -18, -32, -6, -1, 25, 1, 10, -4, 8, -12, 10, -28, -3, 14, -1, -21]
    flower = [-15, -126, 8, -21, -6, 4, 8, 46, 24, 38, 21, -28, -14, 8, -36, 11, -16, -20, 11]
    vectors = clip.encode_images(photos)
    for vector, expected in zip(vectors, (temple, flower), strict=True):
        assert np.corrcoef(vector[: len(expected)], expected)[0, 1] > 0.95
    assert vectors[0] @ vectors[1] == pytest.approx(0.62, abs=0.04)


def test_items_pool_their_frames(clip, film):
    temple, flower = film(0), film(1)
    contents = [
        FrameContent(temple, (0, 4, 8)),
        FrameContent(flower, (11,)),
        FrameContent(temple, (8, 4, 8)),
        FrameContent(flower, (2, 3)),
        FrameContent(temple, (9,)),
    ]
    vectors = together(clip, contents)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    expected = np.stack([pooled(clip, content) for content in contents])
    assert (vectors * expected).sum(axis=1).min() > 0.9995


def test_frames_are_nearest_to_those_of_their_own_clip(clip, film):
    contents = [FrameContent(film(photo), (n,)) for n in (0, 5, 11) for photo in (0, 1)]
    vectors = together(clip, contents)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    np.testing.assert_array_equal(similarity.argmax(axis=1) % 2, np.arange(6) % 2)
    assert similarity[0, 2] > similarity[0, 1] + 0.15


def test_nothing_to_embed(clip):
    assert list(clip.encode_batches([])) == []
    assert clip.encode_images([]).shape == (0, 512)


def test_what_was_finished_before_a_lost_frame_is_kept(clip, film, tmp_path):
    class Store(dict):
        def missing(self, hashes):
            return [name for name in hashes if name not in self]

        def append(self, hashes, vectors):
            self.update(zip(hashes, vectors, strict=True))

    film_of_six = film(0, frames=6)
    contents = [FrameContent(film_of_six, (n,)) for n in (1, 3, 7)]
    store = Store()
    with pytest.raises(EpoxyError, match=r"0-6\.mkv: frame 7 cannot be decoded") as caught:
        embed_missing(clip, store, ["a", "b", "c"], contents)
    caught.match("run again")
    assert sorted(store) == ["a", "b"]
    absent = [FrameContent(tmp_path / "absent.mkv", (0,))]
    with pytest.raises(EpoxyError, match=r"absent\.mkv"):
        list(clip.encode_batches(absent))
    assert not decoding()


def test_stopping_early_ends_the_thread(clip, film):
    contents = [FrameContent(film(photo), (n,)) for photo in (0, 1) for n in range(6)]
    chunks = clip.encode_batches(contents)
    rows, _ = next(chunks)
    assert 0 < len(rows) < len(contents)
    chunks.close()
    assert not decoding()


def test_items_without_frames(clip, film):
    with pytest.raises(EpoxyError, match="item 0 has no frames"):
        list(clip.encode_batches([FrameContent(film(0), ())]))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_not_a_picture(clip, photos, image):
    with pytest.raises(EpoxyError, match="image 1: not a picture"):
        clip.encode_images([photos[0], image])


def test_prompts_need_a_text_tower():
    with pytest.raises(EpoxyError, match="image tower only") as caught:
        ClipEncoder().encode_texts(["a photo of a temple"])
    caught.match("ViT-B-16-quickgelu, checkpoint: openai")


def test_what_is_known_without_loading():
    encoder = ClipEncoder(precision="float32")
    assert encoder.name == "clip-vit-b-16-image"
    assert encoder.dimension == 512
    assert encoder.fingerprint == "clip-vit-b-16-image:2d2da5e254d60501f138004788497e28:2:float32"
    assert encoder.fingerprint != ClipEncoder(precision="bfloat16").fingerprint


def decoding():
    return [each for each in threading.enumerate() if each.name == "epoxy-decode"]
